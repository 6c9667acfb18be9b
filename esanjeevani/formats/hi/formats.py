"""Hindi: day before month, 24 hours ("बजे" tells no morning from evening), digits grouped 3, 2, 2."""

DATE_FORMAT = "j E Y"
DATETIME_FORMAT = "j E Y, G:i"
TIME_FORMAT = "G:i"
NUMBER_GROUPING = (3, 2, 0)
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %m %Y"]
