from django.urls import path, re_path

from consult.api import fhir, fhir_search

app_name = "fhir"
DOCUMENT = r"(?P<kind>[A-Za-z]+)-(?P<consultation>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
urlpatterns = [
    path("metadata", fhir.Metadata.as_view(), name="metadata"),
    re_path(rf"^Bundle/{DOCUMENT}$", fhir.OneBundle.as_view(), name="bundle"),
    re_path(
        r"^(?P<kind>[A-Z][A-Za-z]+)/(?P<key>[A-Za-z0-9.-]{1,64})$",
        fhir.OneResource.as_view(),
        name="resource",
    ),
    re_path(r"^(?P<kind>[A-Z][A-Za-z]+)$", fhir_search.SearchMayWrite.as_view(), name="search"),
]
