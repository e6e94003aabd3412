"""What a load test has found: the record that the reports, limits and comparisons read."""

from collections import Counter
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from load.histogram import Fine, Histogram

# What the file keeps of each slice: the percentiles that the time line shows, and others
# that somebody may want to draw.
KEPT = (50, 90, 99, 99.9)


@dataclass
class Tally:
    """What became of the requests that were due in some span of time.

    Attributes:
        due: requests that were due; in a closed loop, those that were sent.
        right: those whose answer was right. All others failed.
        failures: how many failed, by reason, such as ``status 503``.
        latency: of all that were answered, right or not, from when they were due until
            the last byte; in a closed loop nothing is due, and they count from the sending.
        service: the same from the sending: all that a closed loop sees.
        late: how late the generator itself was, where a connection was free when the
            request was due: it is much shorter than the latencies, or these are not the
            server's.
        stages: the server's own account (``Server-Timing``), by stage, exact to 1 µs.
    """

    due: int = 0
    right: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    latency: Histogram = field(default_factory=Histogram)
    service: Histogram = field(default_factory=Histogram)
    late: Histogram = field(default_factory=Histogram)
    stages: dict[str, Fine] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """How many failed."""
        return self.failures.total()

    def merge(self, other: "Tally") -> None:
        """Add another's."""
        self.due += other.due
        self.right += other.right
        self.failures.update(other.failures)
        for name in ("latency", "service", "late"):
            getattr(self, name).merge(getattr(other, name))
        for stage, histogram in other.stages.items():
            self.stages.setdefault(stage, Fine()).merge(histogram)

    def add_stage(self, stage: str, seconds: float) -> None:
        """Count how long a stage of the server took."""
        if stage not in self.stages:
            self.stages[stage] = Fine()
        self.stages[stage].add(seconds)

    def thin(self) -> "Tally":
        """Return one with all counts, a few percentiles, and no stages."""
        names = ("latency", "service", "late")
        thinned = {name: getattr(self, name).thin(KEPT) for name in names}
        return Tally(self.due, self.right, self.failures, **thinned)

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON, and for Locust's messages."""
        return {
            "due": self.due,
            "right": self.right,
            "failures": dict(self.failures),
            **{n: getattr(self, n).as_list() for n in ("latency", "service", "late")},
            "stages": {stage: h.as_list() for stage, h in self.stages.items()},
        }

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Self:
        """Return what :meth:`as_dict` has returned."""
        return cls(
            found["due"],
            found["right"],
            Counter(found["failures"]),
            Histogram.from_list(found["latency"]),
            Histogram.from_list(found["service"]),
            Histogram.from_list(found["late"]),
            {stage: Fine.from_list(h) for stage, h in found["stages"].items()},
        )


@dataclass
class Slice:
    """A part of the time line.

    Attributes:
        at: seconds from the start of the phase.
        seconds: how long it is.
        tally: what became of the requests that were due in it.
    """

    at: float
    seconds: float
    tally: Tally


@dataclass
class Phase:
    """A part of a run with one load.

    Attributes:
        name: such as ``warm-up`` or ``2,000/s``.
        rate: requests a second that were due; None in a closed loop.
        seconds: how long it was.
        counted: whether it is judged: a warm-up is not.
        slices: its time line.
        whole: all slices together, where those of the time line are thinned.
    """

    name: str
    rate: float | None
    seconds: float
    counted: bool = True
    slices: list[Slice] = field(default_factory=list)
    whole: Tally | None = None

    @property
    def tally(self) -> Tally:
        """All of its slices together."""
        return self.whole or total(part.tally for part in self.slices)

    def thin(self) -> "Phase":
        """Return it with thinned slices, which take a hundredth of the memory."""
        slices = [Slice(s.at, s.seconds, s.tally.thin()) for s in self.slices]
        return replace(self, slices=slices, whole=self.tally)

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON, thinned: half an hour at 4,000/s is 0.5 MB, and not 12."""
        thin = self.thin()
        plain = {f.name: getattr(thin, f.name) for f in fields(thin)}
        plain["slices"] = [
            {"at": s.at, "seconds": s.seconds, "tally": s.tally.as_dict()}
            for s in thin.slices
        ]
        return {**plain, "whole": thin.tally.as_dict()}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Self:
        """Return what :meth:`as_dict` has returned."""
        slices = [
            Slice(s["at"], s["seconds"], Tally.from_dict(s["tally"]))
            for s in found["slices"]
        ]
        whole = Tally.from_dict(found["whole"])
        return cls(**{**found, "slices": slices, "whole": whole})


@dataclass
class Usage:
    """What a program took while the phases that count ran.

    Attributes:
        name: ``generator`` or ``server``.
        cores: processor seconds a second, all its processes together; of the generator the
            share of the time in which it had something to do.
        busiest: the same of its busiest process, and of the generator in its busiest phase.
        memory_mib: resident memory at the end, all its processes together; the most that
            a generator had.
        processes: how many.
        waited: of the generator, the share of the time in which its most delayed process
            could have run and was kept from it; None where that is not known.
    """

    name: str
    cores: float
    busiest: float
    memory_mib: float
    processes: int
    waited: float | None = None


@dataclass
class Verdict:
    """Whether the run is to be believed, and whether it kept its limits.

    Attributes:
        invalid: why it is not to be believed; empty if it is.
        limits: each as it was written, what was seen, and whether it was kept.
    """

    invalid: list[str] = field(default_factory=list)
    limits: list[tuple[str, str, bool]] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The exit code: 0 good, 1 past a limit, 3 not to be believed."""
        if self.invalid:
            return 3
        return 0 if all(kept for _, _, kept in self.limits) else 1


@dataclass
class Record:
    """A run.

    Attributes:
        scenario: its name; ``users`` where Locust's own users sent.
        loop: ``open`` or ``closed``.
        arrivals: ``poisson`` or ``constant``; None in a closed loop.
        payload: the name of the requests.
        batch: images a request; their mean where they differ.
        host: where they went.
        connections: at most so many at a time; in a closed loop, so many users.
        seed: of the arrivals.
        generators: processes that sent.
        started: when, in ISO 8601.
        phases: in their order.
        usage: of generator and server; the server's only where it tells (``/metrics``).
        machine: what the generator ran on.
        versions: of what took part, by name.
        settings: the server's, as far as it tells them, and the options of the run.
        commit: of the project; None outside a repository.
        stolen: share of the processors' time that the machine's host gave to others; None
            where it does not say.
        found: of ``find-max``: the rate, the trials and the windows that agree.
        verdict: what is to be made of it.
    """

    scenario: str
    loop: str
    arrivals: str | None
    payload: str
    batch: float
    host: str
    connections: int
    seed: int
    generators: int
    started: str
    phases: list[Phase] = field(default_factory=list)
    usage: list[Usage] = field(default_factory=list)
    machine: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    commit: str | None = None
    stolen: float | None = None
    found: dict[str, Any] | None = None
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def counted(self) -> list[Phase]:
        """The phases that are judged."""
        return [phase for phase in self.phases if phase.counted]

    @property
    def tally(self) -> Tally:
        """All that is judged, together."""
        return total(phase.tally for phase in self.counted)

    @property
    def seconds(self) -> float:
        """How long the phases that are judged were."""
        return sum(phase.seconds for phase in self.counted)

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        plain["phases"] = [phase.as_dict() for phase in self.phases]
        plain["usage"] = [asdict(each) for each in self.usage]
        plain["verdict"] = asdict(self.verdict)
        return plain

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Self:
        """Return what :meth:`as_dict` has returned.

        Raises:
            TypeError, KeyError: it is not such a record.
        """
        invalid, limits = found["verdict"]["invalid"], found["verdict"]["limits"]
        return cls(
            **{
                **found,
                "phases": [Phase.from_dict(phase) for phase in found["phases"]],
                "usage": [Usage(**each) for each in found["usage"]],
                "verdict": Verdict(invalid, [tuple(limit) for limit in limits]),
            }
        )


def total(tallies: Any) -> Tally:
    """Return some tallies as one."""
    whole = Tally()
    for tally in tallies:
        whole.merge(tally)
    return whole
