"""The table of types (spec/content.md CT3, CT10). Pure."""

from __future__ import annotations

from typing import Final

from mau.content.kinds.kind import Kind, Value, Word

_POST: Final = "mau:/p2p/FPR/NAME.pgp"

_KEYWORDS = Word("keywords", Value.TEXT, "Tags", "garden", many=True)
_LANGUAGE = Word("inLanguage", Value.LANGUAGE, "Language", "en")
_URL = Word("url", Value.URL, "Address", "https://example.org/")
_LICENSE = Word("license", Value.URL, "License", "https://creativecommons.org/licenses/by/4.0/")
_PARENT = Word("parentItem", Value.POST, "In answer to", _POST)
_OBJECT = Word("object", Value.POST, "What", _POST)
_DURATION = Word("duration", Value.DURATION, "Duration", "PT3M20S")
_MEDIA: Final = (
    Word("contentUrl", Value.POST, "File", _POST),
    Word("encodingFormat", Value.TEXT, "Format", "image/jpeg"),
    Word("caption", Value.TEXT, "Caption", "At the lake"),
)
_SIZE: Final = (
    Word("width", Value.NUMBER, "Width", "1600"),
    Word("height", Value.NUMBER, "Height", "1200"),
)


def _action(name: str, article: str = "a") -> Kind:
    return Kind(name, None, "description", (_OBJECT,), frozenset({"object"}), article)


_ALL: Final = (
    Kind("SocialMediaPosting", "headline", "articleBody", (_KEYWORDS, _LANGUAGE), frozenset({"articleBody"})),
    Kind(
        "Article",
        "headline",
        "articleBody",
        (
            Word("abstract", Value.TEXT, "In short", "What it is about, in a sentence"),
            _KEYWORDS,
            _LANGUAGE,
            _LICENSE,
        ),
        frozenset({"headline", "articleBody"}),
        "an",
    ),
    Kind(
        "Recipe",
        "name",
        "description",
        (
            Word("recipeYield", Value.TEXT, "For", "4 people"),
            Word("prepTime", Value.DURATION, "Preparation", "PT20M"),
            Word("cookTime", Value.DURATION, "Cooking", "PT1H"),
            Word("totalTime", Value.DURATION, "In all", "PT1H20M"),
            Word("recipeCategory", Value.TEXT, "Course", "dessert"),
            Word("recipeCuisine", Value.TEXT, "Cuisine", "Portuguese"),
            Word("recipeIngredient", Value.TEXT, "Ingredients", "500 g flour", many=True),
            Word("recipeInstructions", Value.TEXT, "Steps", "Knead the dough.", many=True),
            _KEYWORDS,
            _LANGUAGE,
        ),
        frozenset({"name", "recipeIngredient", "recipeInstructions"}),
    ),
    Kind(
        "Event",
        "name",
        "description",
        (
            Word("startDate", Value.DATE, "Begins", "2026-12-24T18:00+01:00"),
            Word("endDate", Value.DATE, "Ends", "2026-12-24T22:00+01:00"),
            Word("location", Value.PLACE, "Where", "Town hall, Market Square 1"),
            Word("organizer", Value.PERSON, "Organizer", "The choir"),
            _URL,
            _KEYWORDS,
            _LANGUAGE,
        ),
        frozenset({"name", "startDate"}),
        "an",
    ),
    Kind(
        "Review",
        "name",
        "reviewBody",
        (
            Word("itemReviewed", Value.THING, "Of", "The Third Man"),
            Word("reviewRating", Value.RATING, "Rating", "4/5"),
            _KEYWORDS,
            _LANGUAGE,
        ),
        frozenset({"itemReviewed"}),
    ),
    Kind(
        "Question",
        "name",
        "text",
        (
            Word("suggestedAnswer", Value.TEXT, "Choices", "Saturday", many=True),
            _KEYWORDS,
            _LANGUAGE,
        ),
        frozenset({"name"}),
    ),
    Kind("Answer", None, "text", (_PARENT, _LANGUAGE), frozenset({"text", "parentItem"}), "an"),
    Kind("Comment", None, "text", (_PARENT, _LANGUAGE), frozenset({"text", "parentItem"})),
    Kind("Message", "headline", "text", (_LANGUAGE,), frozenset({"text"})),
    _action("ShareAction"),
    _action("LikeAction"),
    _action("DislikeAction"),
    _action("FollowAction"),
    _action("BookmarkAction"),
    _action("DeleteAction"),
    Kind(
        "Person",
        "name",
        "description",
        (
            Word("alternateName", Value.TEXT, "Also called", "Al"),
            Word("jobTitle", Value.TEXT, "Work", "gardener"),
            Word("email", Value.TEXT, "Mail", "alice@example.org"),
            Word("telephone", Value.TEXT, "Telephone", "+49 30 1234567"),
            Word("address", Value.PLACE, "Lives in", "Lisbon"),
            Word("birthDate", Value.DATE, "Born", "1990-02-28"),
            Word("url", Value.URL, "Address", "https://example.org/~alice", many=True),
            Word("sameAs", Value.URL, "Also at", "https://example.social/@alice", many=True),
        ),
        frozenset({"name"}),
    ),
    Kind("ImageObject", "name", "description", _MEDIA + _SIZE, frozenset({"contentUrl"}), "an"),
    Kind("VideoObject", "name", "description", (*_MEDIA, _DURATION, *_SIZE), frozenset({"contentUrl"})),
    Kind("AudioObject", "name", "description", (*_MEDIA, _DURATION), frozenset({"contentUrl"}), "an"),
    Kind("MediaObject", "name", "description", _MEDIA, frozenset({"contentUrl"})),
    Kind(
        "Collection",
        "name",
        "description",
        (Word("hasPart", Value.POST, "In it", _POST, many=True), _KEYWORDS, _LANGUAGE),
        frozenset({"name"}),
    ),
)

KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in _ALL}
"""Every type that there is a template for, by its name in schema.org."""

THING: Final = Kind("Thing", "name", "description", (), frozenset())
"""What a document of no type that is known here is read as."""

KIN: Final[dict[str, str]] = {
    "Posting": "SocialMediaPosting",
    "BlogPosting": "Article",
    "DiscussionForumPosting": "SocialMediaPosting",
    "LiveBlogPosting": "Article",
    "NewsArticle": "Article",
    "Report": "Article",
    "ScholarlyArticle": "Article",
    "TechArticle": "Article",
    "WebPage": "Article",
    "BusinessEvent": "Event",
    "CourseInstance": "Event",
    "DanceEvent": "Event",
    "EducationEvent": "Event",
    "ExhibitionEvent": "Event",
    "Festival": "Event",
    "FoodEvent": "Event",
    "MusicEvent": "Event",
    "SocialEvent": "Event",
    "SportsEvent": "Event",
    "TheaterEvent": "Event",
    "CriticReview": "Review",
    "UserReview": "Review",
    "EmailMessage": "Message",
    "Conversation": "Collection",
    "ImageGallery": "Collection",
    "ItemList": "Collection",
    "Organization": "Person",
    "Photograph": "ImageObject",
    "Barcode": "ImageObject",
    "DataDownload": "MediaObject",
    "MusicVideoObject": "VideoObject",
    "Audiobook": "AudioObject",
}
"""Types that are read like one of the table: special cases of it, or close enough to it for people."""
