"""The people of the demonstration, invented, with invented numbers. Made only where DEMO is set."""

import hashlib
from dataclasses import dataclass

DEMO_PASSWORD = "open-clinic-demo"  # noqa: S105 - printed for everybody to read
ADMIN, DOCTOR, HEALTH_WORKER = "Nodal officer, admin", "Doctor", "Health worker"
DISTRICT_OFFICER, STATE_OFFICER = "Nodal officer, Gaya", "Nodal officer, Bihar"


@dataclass(frozen=True)
class DemoStaff:
    """One member of staff who signs in with DEMO_PASSWORD and a TOTP code."""

    phone: str
    name: str
    role: str
    facility: str = ""  # a key of consult.demo.places.FACILITIES
    language: str = "en"

    @property
    def password(self) -> str:
        return DEMO_PASSWORD

    @property
    def totp_key(self) -> str:
        """The same on every machine, so that an authenticator app stays paired."""
        return hashlib.sha256(f"demonstration {self.phone}".encode()).hexdigest()[:40]


@dataclass(frozen=True)
class DemoDoctor(DemoStaff):
    """A doctor; `on_duty` names the clinics whose lines are staffed from the start."""

    role: str = DOCTOR
    speciality: str = "general-medicine"
    qualification: str = "MBBS"
    registration_number: str = ""
    council: str = ""
    verified: bool = True
    on_duty: tuple[str, ...] = ()  # keys of consult.demo.places.CLINICS


@dataclass(frozen=True)
class DemoPatient:
    """One person treated; `age` in whole years."""

    name: str
    sex: str
    age: int
    guardian_name: str = ""
    guardian_relation: str = ""
    abha_number: str = ""


@dataclass(frozen=True)
class DemoAccount:
    """One mobile number that patients sign in with, by the code in the SMS.

    At `enrolled_at` its patients have been before a health worker already.
    """

    phone: str
    name: str
    language: str
    address: str
    district: int
    patients: tuple[DemoPatient, ...]
    enrolled_at: str = ""  # a key of consult.demo.places.FACILITIES


KERALA = "Kerala State Medical Council"
BIHAR = "Bihar Council of Medical Registration"
KARNATAKA = "Karnataka Medical Council"

ADMIN_STAFF = DemoStaff("+919000000001", "Nandini Pillai", ADMIN, "hub_ernakulam")

DOCTORS = [
    DemoDoctor(
        "+919000000011", "Dr Raghav Rao", facility="hub_ernakulam",
        qualification="MBBS, MD (General Medicine)",
        registration_number="DEMO-1001", council=KERALA, on_duty=("kerala_general",),
    ),
    DemoDoctor(
        "+919000000012", "Dr Lakshmi Nair", facility="hub_ernakulam", speciality="gynaecology",
        qualification="MBBS, MS (Obstetrics and Gynaecology)",
        registration_number="DEMO-1002", council=KERALA,
    ),
    DemoDoctor(
        "+919000000013", "Dr Joseph Varkey", facility="hub_ernakulam", speciality="paediatrics",
        qualification="MBBS, DCH", registration_number="DEMO-1003", council=KERALA,
    ),
    DemoDoctor(
        "+919000000014", "Dr Fatima Ansari", facility="hub_patna", language="hi",
        registration_number="DEMO-2001", council=BIHAR,
        on_duty=("bihar_general", "patna_medicine"),
    ),
    DemoDoctor(
        "+919000000015", "Dr Sunil Prasad", facility="hub_patna", speciality="dermatology",
        qualification="MBBS, MD (Dermatology)", language="hi",
        registration_number="DEMO-2002", council=BIHAR, on_duty=("patna_skin",),
    ),
    DemoDoctor(
        "+919000000016", "Dr Kavya Gowda",
        registration_number="DEMO-3001", council=KARNATAKA, on_duty=("karnataka_general",),
    ),
    DemoDoctor(
        "+919000000017", "Dr Arun Hegde", speciality="psychiatry",
        qualification="MBBS, DPM", registration_number="DEMO-3002", council=KARNATAKA,
    ),
    DemoDoctor(
        "+919000000018", "Dr Rekha Sinha", facility="phc_harinagar", language="hi",
        registration_number="DEMO-2003", council=BIHAR, verified=False,
    ),
    DemoDoctor(
        "+919000000019", "Dr Imran Alam", facility="phc_harinagar", language="hi",
        registration_number="DEMO-2004", council=BIHAR, on_duty=("harinagar_medicine",),
    ),
    DemoDoctor(
        "+919000000020", "Dr Shalini Verma", facility="hub_patna", speciality="gynaecology",
        qualification="MBBS, MS (Obstetrics and Gynaecology)", language="hi",
        registration_number="DEMO-2005", council=BIHAR, on_duty=("patna_women",),
    ),
]  # fmt: skip

HEALTH_WORKERS = [
    DemoStaff("+919000000021", "Meena Kumari", HEALTH_WORKER, "spoke_chandwara", "hi"),
    DemoStaff("+919000000022", "Anitha Thomas", HEALTH_WORKER, "spoke_thekkekara"),
    DemoStaff("+919000000023", "Sunita Devi", HEALTH_WORKER, "spoke_belwa", "hi"),
    DemoStaff("+919000000024", "Manoj Paswan", HEALTH_WORKER, "phc_harinagar", "hi"),
    DemoStaff("+919000000025", "Latha Mohan", HEALTH_WORKER, "spoke_malayoram"),
]
OFFICERS = [
    DemoStaff("+919000000002", "Archana Sahay", STATE_OFFICER, "hub_patna"),
    DemoStaff("+919000000003", "Alok Ranjan", DISTRICT_OFFICER, "phc_harinagar"),
]

WORKER_AT = {worker.facility: worker.phone for worker in HEALTH_WORKERS}

DEMO_STAFF: list[DemoStaff] = [*DOCTORS, *HEALTH_WORKERS, *OFFICERS, ADMIN_STAFF]

DEMO_ACCOUNTS = [
    DemoAccount(
        "+919000000101", "Asha Menon", "en", "12 Lake Road, Kochi 682001", 555,
        (
            DemoPatient("Asha Menon", "female", 34, abha_number="91100000000008"),
            DemoPatient("Gopalan Menon", "male", 71),
            DemoPatient("Anu Menon", "female", 8, "Asha Menon", "Mother"),
        ),
    ),
    DemoAccount(
        "+919000000102", "रमेश यादव", "hi", "वार्ड 4, हरिनगर, गया 823001", 196,
        (DemoPatient("रमेश यादव", "male", 46),),
    ),
    DemoAccount(
        "+919000000103", "Shanti Devi", "hi", "School Road, Belwa, Gaya 823003", 196,
        (
            DemoPatient("Shanti Devi", "female", 58),
            DemoPatient("Gudiya Kumari", "female", 6, "Shanti Devi", "Grandmother"),
        ),
        "spoke_belwa",
    ),
    DemoAccount(
        "+919000000104", "Ramdhari Manjhi", "hi", "Temple Lane, Belwa, Gaya 823003", 196,
        (DemoPatient("Ramdhari Manjhi", "male", 52),), "spoke_belwa",
    ),
    DemoAccount(
        "+919000000105", "Pinki Kumari", "hi", "Canal Side, Belwa, Gaya 823003", 196,
        (DemoPatient("Pinki Kumari", "female", 24),), "spoke_belwa",
    ),
]  # fmt: skip
