"""Hindi: the same order of the date, months in Hindi, digits grouped 3, 2, 2."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y, g:i A"
TIME_FORMAT = "g:i A"
NUMBER_GROUPING = (3, 2, 0)
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %m %Y"]
