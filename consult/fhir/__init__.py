"""Health records that travel: FHIR R4 as the national guide (NRCeS, ndhm.in 6.5.0) wants it.

Renderers over rows, as the PDF is: nothing is stored, nothing is invented. Each function returns plain
dictionaries; no FHIR library runs here.
"""
