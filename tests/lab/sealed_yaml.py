"""A clipboard as Python sees it; sealed values as they stand."""
import yaml


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!sealed", lambda loader, node: node.value)


def load(text):
    return yaml.load(text, _Loader)  # noqa: S506, a SafeLoader
