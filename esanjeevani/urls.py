from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from consult import demo_views
from esanjeevani import views

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("accounts.urls")),
    path("", include("queues.urls")),
    path("", include("consult.urls")),
    path("language/", set_language, name="set_language"),
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("admin/", admin.site.urls),
]

if settings.DEMO:
    urlpatterns += [
        path("demo/", demo_views.people, name="demo"),
        path("demo/sms/", demo_views.sms, name="demo_sms"),
    ]
