"""What is wrong with this installation, by name, and what to do about it."""

from dtsen.doctor.examination import Finding, Patient, examine, unfit_for_production

__all__ = ["Finding", "Patient", "examine", "unfit_for_production"]
