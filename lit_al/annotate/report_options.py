"""What `lit-al report` can be told."""

from dataclasses import dataclass

from lit_al.exceptions import ConfigError
from lit_al.utils.options import RunOptions, run_option


@dataclass(frozen=True)
class ReportOptions(RunOptions):
    """The page of a run or a benchmark."""

    suspects: bool = run_option(False, "Of a labeling run: look for labels that may be wrong, too, which takes a fit.")
    browser: bool = run_option(False, "Open the page in the browser.")

    def check_labeling(self, labeling: bool) -> None:
        """Raise `ConfigError` for an option that does not go with the run."""
        if self.suspects and not labeling:
            raise ConfigError("--suspects is for labeling runs; give lit-al suspects the data instead")
