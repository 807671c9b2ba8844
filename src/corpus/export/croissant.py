"""A Croissant 1.1 description of one format's folder: JSON-LD that dataset search engines read.

Every shard is a file with its sha256, every config a set of records whose fields are the columns.
Source: the Croissant format specification 1.1 of MLCommons; ``mlcroissant`` accepts the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from corpus.export.card import About
from corpus.records import Shard

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
TYPES = {"parquet": "application/x-parquet", "jsonl": "application/jsonlines"}
COLUMNS = {
    "id": "the name of the row",
    "text": "the document",
    "source": "where it comes from",
    "metadata": "everything else that is known of it, as JSON",
    "messages": "the turns of a chat",
    "tools": "tool definitions, as JSON",
}
TEXT, CHAT = ("id", "text", "source", "metadata"), ("id", "tools", "metadata")


def croissant(about: About, name: str, shards: Sequence[Shard]) -> dict[str, Any]:
    """The description of format ``name``, whose ``shards`` these are."""
    facts = about.facts
    described = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": about.title,
        "description": "Synthetic text for pretraining, written by a language model.",
        "keywords": ["synthetic", "alignment", "text-generation"],
        "dataCollection": "Written by " + ", ".join(facts.get("models") or ["a language model"]),
        "distribution": [one_file(name, shard) for shard in shards],
        "recordSet": [*record_sets(about, name, shards)],
    }
    if facts.get("license"):
        described["license"] = facts["license"]
    return described


def one_file(name: str, shard: Shard) -> dict[str, Any]:
    """A shard as a file object."""
    return {
        "@type": "cr:FileObject",
        "@id": shard.file,
        "name": shard.file,
        "contentUrl": shard.file,
        "contentSize": f"{shard.bytes} B",
        "encodingFormat": TYPES.get(name, "application/octet-stream"),
        "sha256": shard.sha256,
    }


def record_sets(about: About, name: str, shards: Sequence[Shard]) -> Iterator[dict[str, Any]]:
    """Yield a set of records for each shard, called by config, split and number."""
    chats = {config for config in about.splits if config in about.chats}
    for shard in shards:
        called = shard.file.rpartition(".")[0]
        columns = list(CHAT if shard.config in chats else TEXT)
        if name != "parquet":
            columns.remove("metadata")  # an object there, which is no text
        yield {
            "@type": "cr:RecordSet",
            "@id": called,
            "name": called,
            "description": f"{shard.documents} rows of '{shard.config}', split '{shard.split}'",
            "field": [
                {
                    "@type": "cr:Field",
                    "@id": f"{called}/{column}",
                    "name": f"{called}/{column}",
                    "description": COLUMNS[column],
                    "dataType": "sc:Text",
                    "source": {
                        "fileObject": {"@id": shard.file},
                        "extract": {"column": column},
                    },
                }
                for column in columns
            ],
        }
