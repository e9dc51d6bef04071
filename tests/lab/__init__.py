"""What the scenario tests are written with: a jarvis in a place of its own, its processes, and waiting for events."""
from .marks import each, takes
from .place import Place, Result
from .processes import Process, alive, descendants, environment_of, exe_of, kill_now, living, named
from .waiting import Gate, pause, until

__all__ = ["Gate", "Place", "Process", "Result", "alive", "descendants", "each", "environment_of", "exe_of", "kill_now",
           "living", "named", "pause", "takes", "until"]
