"""English as written in India: day before month, digits grouped 3, 2, 2."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, g:i a"
TIME_FORMAT = "g:i a"
NUMBER_GROUPING = (3, 2, 0)
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %m %Y"]
