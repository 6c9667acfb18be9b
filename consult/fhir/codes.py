"""Code systems, and the codes that the national guide (NRCeS, ndhm.in 6.5.0) fixes by itself.

Nothing here comes out of a licensed table: SNOMED and LOINC codes are those that the guide, which is
CC0, writes into its profiles and value sets.
"""

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
HL7 = "http://terminology.hl7.org/CodeSystem"
PROFILES = "https://nrces.in/ndhm/fhir/r4/StructureDefinition"
IDENTIFIER_TYPES = "https://nrces.in/ndhm/fhir/r4/CodeSystem/ndhm-identifier-type-code"

Coding = dict[str, str]


def coding(system: str, code: str, display: str) -> Coding:
    return {"system": system, "code": code, "display": display}


OP_CONSULT = coding(SNOMED, "371530004", "Clinical consultation report")
PRESCRIPTION = coding(SNOMED, "440545006", "Prescription record")
# The sections of an OPConsultRecord, in the guide's order.
CHIEF_COMPLAINTS = coding(SNOMED, "422843007", "Chief complaint section")
PHYSICAL_EXAMINATION = coding(SNOMED, "425044008", "Physical exam section")
ALLERGIES = coding(SNOMED, "722446000", "Allergy record")
MEDICAL_HISTORY = coding(SNOMED, "371529009", "History and physical report")
FAMILY_HISTORY = coding(SNOMED, "422432008", "Family history section")
INVESTIGATIONS = coding(SNOMED, "721963009", "Order document")
MEDICATIONS = coding(SNOMED, "721912009", "Medication summary document")
FOLLOW_UP = coding(SNOMED, "390906007", "Follow-up encounter")
REFERRAL = coding(SNOMED, "306206005", "Referral to service")

MEDICAL_RECORD_NUMBER = coding(f"{HL7}/v2-0203", "MR", "Medical record number")
MEDICAL_LICENCE = coding(f"{HL7}/v2-0203", "MD", "Medical License number")
PROVIDER_NUMBER = coding(f"{HL7}/v2-0203", "PRN", "Provider number")
ABHA_NUMBER = coding(IDENTIFIER_TYPES, "HIN", "Health ID issued by NDHM")
ABHA_ADDRESS = coding(IDENTIFIER_TYPES, "ABHA", "Ayushman Bharat Health Account (ABHA) ID")
HPR_ID = coding(IDENTIFIER_TYPES, "HPIN", "Health Practitioner ID issued by NDHM")

VIRTUAL = coding(f"{HL7}/v3-ActCode", "VR", "virtual")
VERY_RESTRICTED = coding(f"{HL7}/v3-Confidentiality", "V", "very restricted")
FAMILY_MEMBER = coding(f"{HL7}/v3-RoleCode", "FAMMEMB", "family member")
VITAL_SIGNS = coding(f"{HL7}/observation-category", "vital-signs", "Vital Signs")
EXAM = coding(f"{HL7}/observation-category", "exam", "Exam")
LABORATORY = coding(f"{HL7}/observation-category", "laboratory", "Laboratory")
ACTIVE = coding(f"{HL7}/condition-clinical", "active", "Active")
PROVISIONAL = coding(f"{HL7}/condition-ver-status", "provisional", "Provisional")
CONFIRMED = coding(f"{HL7}/condition-ver-status", "confirmed", "Confirmed")
ALLERGY_ACTIVE = coding(f"{HL7}/allergyintolerance-clinical", "active", "Active")
ALLERGY_UNCONFIRMED = coding(f"{HL7}/allergyintolerance-verification", "unconfirmed", "Unconfirmed")
NOT_MEASURED = coding(f"{HL7}/data-absent-reason", "not-performed", "Not Performed")

# LOINC's names as the guide's value sets write them.
LOINC_NAMES = {
    "61008-9": "Body surface temperature",
    "8867-4": "Heart rate",
    "9279-1": "Respiratory rate",
    "2708-6": "Oxygen saturation in Arterial blood",
    "85354-9": "Blood pressure panel with all children optional",
    "8480-6": "Systolic blood pressure",
    "8462-4": "Diastolic blood pressure",
    "29463-7": "Body weight",
    "8302-2": "Body height",
    "39156-5": "Body mass index (BMI) [Ratio]",
    "2339-0": "Glucose [Mass/volume] in Blood",
}
