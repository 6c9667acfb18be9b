"""The people of the demonstration, invented, with invented numbers. Made only where DEMO is set."""

import hashlib
from dataclasses import dataclass

DEMO_PASSWORD = "open-clinic-demo"  # noqa: S105 - printed for everybody to read
ADMIN, DOCTOR, HEALTH_WORKER = "Nodal officer, admin", "Doctor", "Health worker"


@dataclass(frozen=True)
class DemoStaff:
    """One member of staff who signs in with DEMO_PASSWORD and a TOTP code."""

    phone: str
    name: str
    role: str
    facility: str = ""  # a key of consult.demo_places.FACILITIES
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
    """A doctor; `on_duty` names the clinic whose line is staffed from the start."""

    role: str = DOCTOR
    speciality: str = "general-medicine"
    qualification: str = "MBBS"
    registration_number: str = ""
    council: str = ""
    verified: bool = True
    on_duty: str = ""  # a key of consult.demo_places.CLINICS


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
    """One mobile number that patients sign in with, by the code in the SMS."""

    phone: str
    name: str
    language: str
    address: str
    district: int
    patients: tuple[DemoPatient, ...]


KERALA = "Kerala State Medical Council"
BIHAR = "Bihar Council of Medical Registration"
KARNATAKA = "Karnataka Medical Council"

ADMIN_STAFF = DemoStaff("+919000000001", "Nandini Pillai", ADMIN, "hub_ernakulam")

DOCTORS = [
    DemoDoctor(
        "+919000000011", "Dr Raghav Rao", facility="hub_ernakulam",
        qualification="MBBS, MD (General Medicine)",
        registration_number="DEMO-1001", council=KERALA, on_duty="kerala_general",
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
        registration_number="DEMO-2001", council=BIHAR, on_duty="bihar_general",
    ),
    DemoDoctor(
        "+919000000015", "Dr Sunil Prasad", facility="hub_patna", speciality="dermatology",
        qualification="MBBS, MD (Dermatology)", language="hi",
        registration_number="DEMO-2002", council=BIHAR,
    ),
    DemoDoctor(
        "+919000000016", "Dr Kavya Gowda",
        registration_number="DEMO-3001", council=KARNATAKA, on_duty="karnataka_general",
    ),
    DemoDoctor(
        "+919000000017", "Dr Arun Hegde", speciality="psychiatry",
        qualification="MBBS, DPM", registration_number="DEMO-3002", council=KARNATAKA,
    ),
    DemoDoctor(
        "+919000000018", "Dr Rekha Sinha", facility="phc_harinagar", language="hi",
        registration_number="DEMO-2003", council=BIHAR, verified=False,
    ),
]  # fmt: skip

HEALTH_WORKERS = [
    DemoStaff("+919000000021", "Meena Kumari", HEALTH_WORKER, "spoke_chandwara", "hi"),
    DemoStaff("+919000000022", "Anitha Thomas", HEALTH_WORKER, "spoke_thekkekara"),
]

DEMO_STAFF: list[DemoStaff] = [*DOCTORS, *HEALTH_WORKERS, ADMIN_STAFF]

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
]  # fmt: skip
