"""TensorBoard's event file: the graph and the scalars of a run."""

import os
import re
import socket
import time
from contextlib import contextmanager

import tensorflow.compat.v1 as tf

from lab.messages import OutputError, truncate


class EventFile(object):
    """An event file in the folder `path`, begun with `graph`; what is added is written at once.

    A run that is resumed at `step` gets another file, and TensorBoard shows them as one.

    tf.summary.FileWriter writes later and in a thread of its own, where a full disk is a traceback
    in TensorFlow 2 and goes unnoticed in TensorFlow 1. An event file is a TFRecord file of
    tf.Event messages, so it is written as one.

    Raises:
        OutputError: here and in `add`, if the file cannot be written.
    """

    def __init__(self, path, graph, step=0):
        self.path = os.path.abspath(path)  # an absolute path cannot be taken for a URL
        with self._output_errors():
            before = [re.match(r'events\.out\.tfevents\.(\d{10})\.', n) for n in os.listdir(path)]
            # TensorBoard reads them in the order of their names, whatever a clock says
            now = max([int(time.time()), *(int(match[1]) + 1 for match in before if match)])
            name = f'events.out.tfevents.{now}.{socket.gethostname()}.{os.getpid()}'
            self.path = os.path.join(self.path, name)
            self._writer = tf.io.TFRecordWriter(self.path)
        self._write(file_version='brain.Event:2')
        self._write(graph_def=graph.as_graph_def(add_shapes=True).SerializeToString())
        # what an earlier file of the run has from this step on is void
        self._write(step=step, session_log=tf.SessionLog(status=tf.SessionLog.START))

    def add(self, step, scalars):
        """Add {name: value} at `step`."""
        values = [tf.Summary.Value(tag=tag, simple_value=v) for tag, v in sorted(scalars.items())]
        self._write(step=step, summary=tf.Summary(value=values))

    def close(self):
        """Close the file."""
        with self._output_errors():
            self._writer.close()

    def _write(self, **event):
        with self._output_errors():
            self._writer.write(tf.Event(wall_time=time.time(), **event).SerializeToString())
            self._writer.flush()

    @contextmanager
    def _output_errors(self):
        try:
            yield
        except (OSError, tf.errors.OpError) as error:
            why = getattr(error, 'message', error)
            raise OutputError(f'{self.path} could not be written ({truncate(why)})')
