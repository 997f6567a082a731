"""All sections, in the order of the table."""
import decisions
import pipe
import records
import tick

ALL = [pipe.SECTION, records.SECTION, tick.SECTION, decisions.SECTION]
