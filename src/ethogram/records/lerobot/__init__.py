"""Data sets in the LeRobot layout, version 3.0: read what lerobot wrote, write what it reads.

    meta/info.json                              features, frame rate, where files lie
    meta/stats.json                             of each feature: least, greatest, mean, deviation, quantiles
    meta/tasks.parquet                          what the episodes are about, in words
    meta/episodes/chunk-000/file-000.parquet    a row an episode: length, tasks, where its frames lie, its statistics
    data/chunk-000/file-000.parquet             a row a frame; pictures as PNG
    videos/<feature>/chunk-000/file-000.mp4     or as videos

Layout: https://huggingface.co/docs/lerobot/lerobot-dataset-v3. A frame holds an observation and the action taken on it. What
the layout has no place for (final observations, spaces, agents' names, outcomes) is saved in `meta/ethogram`, which lerobot
passes over, so that nothing is lost on the way and back but what video compression takes.

Features: an observation is `observation.state`, or `observation.image` where it is a picture; the entries of a `Dict` are
`observation.<key>` (`state` for the key `observation` of a goal env), and the action is `action`, or `action.<key>`.
"""

from ethogram.records.lerobot.reading import import_lerobot, tasks_of_lerobot
from ethogram.records.lerobot.writing import export_lerobot

__all__ = ["export_lerobot", "import_lerobot", "tasks_of_lerobot"]
