"""A simulated machine whose clocks a test controls: time passes, it is off, its wall clock is wrong."""

from dataclasses import dataclass, field

from llamora.clock.elapsed_time import ElapsedTime, Reading

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
TODAY = 1_800_000_000.0


@dataclass
class Machine:
    """The clocks of a simulated machine, and Llamora's record of them."""

    wall: float = TODAY
    boot_seconds: float = 5.0
    boot: int = 1
    passed: float = 0.0
    record: ElapsedTime = field(init=False)

    def __post_init__(self) -> None:
        self.record = ElapsedTime.begin(self.read())

    def read(self) -> Reading:
        return Reading(wall=self.wall, boot_seconds=self.boot_seconds, boot_id=f"boot {self.boot}")

    def wait(self, seconds: float) -> None:
        """Let time pass while the machine is on or suspended."""
        self.wall, self.boot_seconds = self.wall + seconds, self.boot_seconds + seconds
        self.passed += seconds
        self.look()

    def set_clock(self, by: float) -> None:
        """Set the wall clock, which Llamora sees at once."""
        self.wall += by
        self.look()

    def switch_off(self, seconds: float, *, wrong_by: float = 0.0) -> None:
        """Let time pass while the machine is off, and start it with a clock that may be wrong."""
        self.wall, self.passed = self.wall + seconds + wrong_by, self.passed + seconds
        self.boot, self.boot_seconds = self.boot + 1, 5.0
        self.look()

    def look(self) -> None:
        self.record = ElapsedTime.from_json(self.record.observe(self.read()).to_json())

    def is_over(self, stamp: float, *, age: float = 30 * DAY) -> bool:
        """Return whether something of this time by the wall clock is deleted for its age."""
        cutoff = self.record.find_cutoff(age)
        return cutoff is not None and stamp < cutoff
