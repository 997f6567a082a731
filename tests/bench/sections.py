"""All sections, in the order of the table."""
import decisions
import idle
import memory
import pipe
import records
import tick

ALL = [pipe.SECTION, records.SECTION, tick.SECTION, decisions.SECTION, idle.SECTION, memory.SECTION]
