"""What is in a post: addresses, documents, and what a post states about itself (spec/messages.md).

address    what a person, a post and a version of it are called
binding    for whom a post is and what it is called, as its author signed it
jsonld     documents of others, read without fetching anything
posting    texts as documents, and texts out of documents
kinds/     the types that people write, their words, and what is wrong with a value
languages  values in several languages, and which one is read
activity   documents of ActivityStreams, seen as those of schema.org
plaintext  HTML as plain text
links      what a document answers, acts upon, mentions
tags       hashtags
shown      any document as people see it; of `facts`, `media`, and single values as they are `spoken`
origin     what was copied from the web
frontmatter, templates  documents as pages that people write; of `bodies`, `wordvalues`, `yamltext`
"""
