"""The places of the demonstration: true districts, invented health centres and clinics."""

from dataclasses import dataclass, field
from datetime import time

KERALA, BIHAR, KARNATAKA = 32, 10, 29

# LGD code, state, English, Hindi.
DISTRICTS = [
    (555, KERALA, "Ernakulam", "एर्नाकुलम"),
    (565, KERALA, "Thiruvananthapuram", "तिरुवनंतपुरम"),
    (561, KERALA, "Kozhikode", "कोझिकोड"),
    (212, BIHAR, "Patna", "पटना"),
    (196, BIHAR, "Gaya", "गया"),
    (208, BIHAR, "Muzaffarpur", "मुज़फ़्फ़रपुर"),
    (525, KARNATAKA, "Bengaluru Urban", "बेंगलुरु शहरी"),
    (545, KARNATAKA, "Mysuru", "मैसूरु"),
]

MIDNIGHT = time(0)
EVERY_DAY, WEEKDAYS, MONDAY_TO_SATURDAY = range(7), range(5), range(6)


@dataclass(frozen=True)
class Hours:
    """The same stretches of time on each of these days; 0 is Monday."""

    days: range
    stretches: tuple[tuple[time, time], ...]


ALWAYS = Hours(EVERY_DAY, ((MIDNIGHT, MIDNIGHT),))
MORNINGS = Hours(EVERY_DAY, ((time(9), time(12)),))
LONG_MORNINGS = Hours(MONDAY_TO_SATURDAY, ((time(8), time(14)),))
SPLIT_SHIFTS = Hours(MONDAY_TO_SATURDAY, ((time(9), time(12)), (time(16), time(20))))
OFFICE_HOURS = Hours(WEEKDAYS, ((time(9, 30), time(16, 30)),))


@dataclass(frozen=True)
class DemoFacility:
    """One health facility."""

    name: str
    hindi: str
    kind: str
    district: int
    address: str


FACILITIES = {
    "hub_ernakulam": DemoFacility(
        "Lakeside Medical College", "लेकसाइड मेडिकल कॉलेज", "medical_college", 555,
        "Hospital Road, Kochi 682011",
    ),
    "hub_patna": DemoFacility(
        "Ganga District Hospital", "गंगा ज़िला अस्पताल", "district_hospital", 212,
        "Ashok Rajpath, Patna 800004",
    ),
    "phc_harinagar": DemoFacility(
        "Harinagar Primary Health Centre", "हरिनगर प्राथमिक स्वास्थ्य केंद्र", "phc", 196,
        "Main Road, Harinagar, Gaya 823001",
    ),
    "spoke_thekkekara": DemoFacility(
        "Thekkekara Health Centre", "तेक्केकरा स्वास्थ्य केंद्र", "sub_centre", 555,
        "Temple Junction, Thekkekara 683501",
    ),
    "spoke_malayoram": DemoFacility(
        "Malayoram Health Centre", "मलयोरम स्वास्थ्य केंद्र", "sub_centre", 561,
        "Hill Road, Malayoram 673501",
    ),
    "spoke_chandwara": DemoFacility(
        "Chandwara Health Centre", "चंदवारा स्वास्थ्य केंद्र", "sub_centre", 208,
        "Ward 7, Chandwara, Muzaffarpur 842001",
    ),
    "spoke_belwa": DemoFacility(
        "Belwa Health Centre", "बेलवा स्वास्थ्य केंद्र", "sub_centre", 196,
        "School Road, Belwa, Gaya 823003",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class DemoClinic:
    """One line; `spokes` are the facilities that may bring patients before it."""

    name: str
    hindi: str
    state: int
    speciality: str
    hours: Hours
    facility: str = ""
    takes_opd: bool = True
    rules: dict[str, object] = field(default_factory=dict)
    spokes: tuple[str, ...] = ()


CLINICS = {
    "kerala_general": DemoClinic(
        "Kerala General OPD", "केरल सामान्य ओपीडी", KERALA, "general-medicine", ALWAYS,
    ),
    "kerala_women": DemoClinic(
        "Kerala Women's Clinic", "केरल महिला क्लिनिक", KERALA, "gynaecology", SPLIT_SHIFTS,
        rules={"serves": "female", "min_age": 10, "usual_minutes": 10},
    ),
    "kerala_children": DemoClinic(
        "Kerala Children's Clinic", "केरल बाल क्लिनिक", KERALA, "paediatrics", MORNINGS,
        rules={"max_age": 14},
    ),
    "bihar_general": DemoClinic(
        "Bihar General OPD", "बिहार सामान्य ओपीडी", BIHAR, "general-medicine", ALWAYS,
    ),
    "bihar_skin": DemoClinic(
        "Bihar Skin Clinic", "बिहार त्वचा क्लिनिक", BIHAR, "dermatology", OFFICE_HOURS,
        rules={"daily_limit": 60},
    ),
    "karnataka_general": DemoClinic(
        "Karnataka General OPD", "कर्नाटक सामान्य ओपीडी", KARNATAKA, "general-medicine",
        LONG_MORNINGS,
    ),
    "karnataka_mind": DemoClinic(
        "Karnataka Mental Health Clinic", "कर्नाटक मानसिक स्वास्थ्य क्लिनिक", KARNATAKA,
        "psychiatry", SPLIT_SHIFTS,
        rules={"usual_minutes": 20, "waiting_limit": 20},
    ),
    "ernakulam_medicine": DemoClinic(
        "Lakeside hub: general medicine", "लेकसाइड हब: सामान्य चिकित्सा", KERALA,
        "general-medicine", OFFICE_HOURS, "hub_ernakulam", takes_opd=False,
        spokes=("spoke_thekkekara", "spoke_malayoram"),
    ),
    "ernakulam_gynaecology": DemoClinic(
        "Lakeside hub: gynaecology", "लेकसाइड हब: स्त्री रोग", KERALA,
        "gynaecology", OFFICE_HOURS, "hub_ernakulam", takes_opd=False,
        rules={"serves": "female"}, spokes=("spoke_thekkekara", "spoke_malayoram"),
    ),
    "patna_medicine": DemoClinic(
        "Ganga hub: general medicine", "गंगा हब: सामान्य चिकित्सा", BIHAR,
        "general-medicine", ALWAYS, "hub_patna", takes_opd=False,
        spokes=("spoke_chandwara", "phc_harinagar"),
    ),
    "patna_skin": DemoClinic(
        "Ganga hub: dermatology", "गंगा हब: त्वचा रोग", BIHAR,
        "dermatology", ALWAYS, "hub_patna", takes_opd=False,
        spokes=("spoke_chandwara", "spoke_belwa", "phc_harinagar"),
    ),
    "patna_women": DemoClinic(
        "Ganga hub: gynaecology", "गंगा हब: स्त्री रोग", BIHAR,
        "gynaecology", ALWAYS, "hub_patna", takes_opd=False,
        rules={"serves": "female", "min_age": 10, "usual_minutes": 10},
        spokes=("spoke_chandwara", "spoke_belwa", "phc_harinagar"),
    ),
    "harinagar_medicine": DemoClinic(
        "Harinagar PHC: general medicine", "हरिनगर पीएचसी: सामान्य चिकित्सा", BIHAR,
        "general-medicine", ALWAYS, "phc_harinagar", takes_opd=False,
        spokes=("spoke_belwa",),
    ),
}  # fmt: skip
