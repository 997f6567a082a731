"""All sections, in the order of the table."""
import decisions
import launch
import pipe
import records
import start
import tick

ALL = [pipe.SECTION, records.SECTION, tick.SECTION, launch.SECTION, start.SECTION, decisions.SECTION]
