"""The words of schema.org that are taken over from pages of the web (spec/imports.md IM20-IM29). Pure."""

from __future__ import annotations

from typing import Final

POSTS: Final = frozenset({
    "AdvertiserContentArticle", "AnalysisNewsArticle", "Article", "AudioObject",
    "BackgroundNewsArticle", "BlogPosting", "Book", "BusinessEvent", "ChildrensEvent", "ComedyEvent",
    "Course", "DanceEvent", "DiscussionForumPosting", "EducationEvent", "Event", "ExhibitionEvent",
    "Festival", "FoodEvent", "HowTo", "ImageObject", "LiteraryEvent", "LiveBlogPosting", "Movie",
    "MusicEvent", "NewsArticle", "OpinionNewsArticle", "Photograph", "PodcastEpisode", "Question",
    "Recipe", "Report", "ReportageNewsArticle", "Review", "ReviewNewsArticle", "SaleEvent",
    "ScholarlyArticle", "ScreeningEvent", "SocialEvent", "SocialMediaPosting", "SportsEvent",
    "TechArticle", "TheaterEvent", "TVEpisode", "VideoObject", "VisualArtwork", "VisualArtsEvent",
})  # fmt: skip
"""The types that become posts."""
MEDIA: Final = frozenset({"AudioObject", "ImageObject", "VideoObject"})
"""Those of them that are parts of others as a rule."""
PROFILES: Final = frozenset({
    "Person", "Organization", "NewsMediaOrganization", "Corporation", "NGO", "LocalBusiness", "WebSite",
    "Blog",
})  # fmt: skip
"""The types that say whose page it is."""
WORDS: Final = frozenset({
    "headline", "alternativeHeadline", "name", "articleBody", "articleSection", "text", "description",
    "abstract", "caption", "transcript", "reviewBody", "reviewRating", "itemReviewed",
    "recipeIngredient", "recipeInstructions", "recipeYield", "recipeCategory", "recipeCuisine",
    "prepTime", "cookTime", "totalTime", "nutrition", "step", "tool", "supply", "startDate", "endDate",
    "doorTime", "duration", "location", "organizer", "performer", "eventStatus", "offers", "keywords",
    "inLanguage", "image", "video", "audio", "associatedMedia", "contentUrl", "embedUrl",
    "thumbnailUrl", "encodingFormat", "width", "height", "datePublished", "dateModified", "dateCreated",
    "uploadDate", "author", "creator", "publisher", "isbn", "numberOfPages", "bookFormat",
    "acceptedAnswer", "suggestedAnswer", "answerCount", "aggregateRating", "license", "genre",
    "partOfSeries", "episodeNumber", "url",
})  # fmt: skip
"""What such a document may say, at its top."""
REFUSED: Final = frozenset({
    "audience", "agent", "object", "recipient", "sender", "parentItem", "mentions", "sha256",
    "isBasedOn", "sdPublisher", "sdDatePublished", "potentialAction", "interactionStatistic",
})  # fmt: skip
"""What it may not say anywhere: who acts, whom it is for, what it answers."""
ADDRESSES: Final = frozenset({
    "url", "contentUrl", "embedUrl", "thumbnailUrl", "sameAs", "license", "logo", "image",
})  # fmt: skip
"""Words whose values are addresses of the web."""
