"""The engine: pure. A request and a time go in; a reply, journal records and effects come out."""
