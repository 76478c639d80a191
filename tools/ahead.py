"""Run the notebooks that a build is going to need ahead of it, one in each core.

MyST-NB runs a notebook when Sphinx reads its page, one after another. What ran here, it finds in its cache. What fails
is left to it: it runs the notebook again, and says where and why.
"""

import concurrent.futures
import multiprocessing
import os
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from myst_nb.core.read import create_nb_reader
from sphinx.util import logging

logger = logging.getLogger(__name__)


def run_ahead(app, env, docnames):
    """Fill the cache with those of the pages about to be read that are notebooks and not in it."""
    config = env.mystnb_config
    if config.execution_mode != "cache":
        return
    cache = get_cache(config.execution_cache_path)
    waiting = [(path, notebook) for path, notebook in _notebooks(env, docnames) if not _is_cached(cache, notebook)]
    # New processes: to fork one in which JAX has started its threads may hang.
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(_run, path, notebook, config.execution_timeout): path for path, notebook in waiting}
        for done in concurrent.futures.as_completed(running):
            path, (notebook, seconds) = running[done], done.result()
            if seconds is not None:
                logger.info("%s: Executing notebook ahead. Executed notebook in %.2f seconds", path, seconds)
                bundle = CacheBundleIn(notebook, path, data={"execution_seconds": seconds})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def _notebooks(env, docnames):
    for name in docnames:
        path = env.doc2path(name)
        text = Path(path).read_text(encoding="utf-8")
        reader = create_nb_reader(path, env.myst_config, env.mystnb_config, text)
        if reader is not None:
            yield path, reader.read(text)


def _is_cached(cache, notebook):
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


def _run(path, notebook, timeout):
    """Return the notebook with its outputs and the seconds that it took; None for the seconds if a cell failed."""
    result = single_nb_execution(notebook, cwd=str(Path(path).parent), timeout=timeout, allow_errors=False)
    return notebook, None if result.err else result.time
