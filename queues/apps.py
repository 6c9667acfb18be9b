from django.apps import AppConfig


class QueueConfig(AppConfig):
    """Label `queue`; the package is `queues` so that Python's own `queue` stays importable."""

    name = "queues"
    label = "queue"
    verbose_name = "Waiting lines"
