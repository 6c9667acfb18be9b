from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.i18n import set_language

from consult.api.abdm import Callback
from consult.demo import views as demo_views
from esanjeevani import views
from esanjeevani.addresses import Remembering

api: list[URLPattern | URLResolver] = [
    path("", include("consult.api.urls")),  # first what varies and is asked most
    path("", include("accounts.api.urls")),
    path("", include("queues.api.urls")),
    path("schema/", views.ApiDocument.as_view(), name="api_schema"),
    path("docs/", views.ApiPage.as_view(), name="api_page"),
]
urlpatterns = [
    path("", views.home, name="home"),
    Remembering("api/v1/", api),  # before the pages, whose addresses are many
    path("", include("consult.urls")),  # first what is asked most
    path("", include("accounts.urls")),
    path("", include("queues.urls")),
    # Registered at the gateway is SITE_URL/abdm; it adds the rest. Records come to abdm/data.
    path("abdm/data", Callback.as_view(), {"kind": "data"}, name="abdm_data"),
    path("abdm/api/v3/<path:kind>", Callback.as_view(), name="abdm_callback"),
    path("fhir/", include("consult.api.fhir_urls")),
    re_path("^(?:api|fhir|abdm)/", views.no_such_end),
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

handler500 = "esanjeevani.views.server_error"
