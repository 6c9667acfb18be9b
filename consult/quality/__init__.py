"""How well it goes, beside how much: figures of health centres, clinics and doctors over some days.

Targets of numbers alone led to consultations without the patient; so each count stands beside what
came of it. No figure names a patient.
"""

from consult.quality.columns import COLUMNS, Column
from consult.quality.figures import BY, Figures, Table, figures_of
from consult.quality.mis import MisRow, mis_table
from consult.quality.period import Period
from consult.quality.plots import Plot, plot_of_days

__all__ = [
    "BY",
    "COLUMNS",
    "Column",
    "Figures",
    "MisRow",
    "Period",
    "Plot",
    "Table",
    "figures_of",
    "mis_table",
    "plot_of_days",
]
