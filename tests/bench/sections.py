"""All sections, in the order of the table."""
import decisions
import launch
import pipe
import records
import tick

ALL = [pipe.SECTION, records.SECTION, tick.SECTION, launch.SECTION, decisions.SECTION]
