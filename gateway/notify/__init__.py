"""How people are reached from outside the bus: the court's SMS and voice platform, and mail. The one home of both."""

from gateway.notify.alerts import MailAlerts, WebhookAlerts
from gateway.notify.mail import MailNotifier
from gateway.notify.webhook import WebhookNotifier

__all__ = ["MailAlerts", "MailNotifier", "WebhookAlerts", "WebhookNotifier"]
