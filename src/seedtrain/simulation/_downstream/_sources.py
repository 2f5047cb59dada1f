"""Where the figures of the downstream train come from, cited once."""

from __future__ import annotations

from typing import Final

AIDA_PABST_1990: Final = "Aida & Pabst 1990, J. Immunol. Methods 132:191-195, doi:10.1016/0022-1759(90)90029-u"
ASTM_E2888: Final = "ASTM E2888-12, Practice for Process for Inactivation of Rodent Retrovirus by pH (scope read)"
AMBLER_1959: Final = "Ambler 1959, J. Biochem. Microbiol. Technol. Eng. 1:185-205"
BROOKS_CRAMER_1992: Final = "Brooks & Cramer 1992, AIChE J. 38:1969-1978, doi:10.1002/aic.690381212"
CHEN_2009: Final = "Chen et al. 2009, Protein Expr. Purif. 64:76-81, doi:10.1016/j.pep.2008.10.006"
CHISTI_1986: Final = "Chisti & Moo-Young 1986, Enzyme Microb. Technol. 8:194-204"
COHN_1925: Final = "Cohn 1925, Physiol. Rev. 5:349-437"
DUAN_2017: Final = "Duan et al. 2017, Chem. Eng. (China), doi:10.3969/j.issn.1005-9954.2017.10.002"
HARRISON_2015: Final = "Harrison, Todd, Rudge & Petrides 2015, Bioseparations Science and Engineering, ch. 5"
HETHERINGTON_1971: Final = "Hetherington, Follows, Dunnill & Lilly 1971, Trans. Inst. Chem. Eng. 49:142-148"
HUMAN_COLLAGEN_2024: Final = "18-repeat human type III collagen from E. coli, Protein Expr. Purif. 2024, 106473"
LI_2008: Final = "Li 2008, master's thesis on human-like collagen I: 80 MPa, two passes"
NEIDHARDT_1996: Final = "Neidhardt & Umbarger 1996, table 1 (BioNumbers 101436)"
PETSCH_1997: Final = "Petsch et al. 1997, J. Chromatogr. B 693:79-91"
PETSCH_ANSPACH_2000: Final = "Petsch & Anspach 2000, J. Biotechnol. 76:97-119, doi:10.1016/S0168-1656(99)00185-6"
REICHELT_2006: Final = "Reichelt, Schwarz & Donzeau 2006, Protein Expr. Purif. 46:483-488"
RICHARDSON_ZAKI_1954: Final = "Richardson & Zaki 1954, Trans. Inst. Chem. Eng. 32:35-53"
SHIVKUMAR_2019: Final = "Shivkumar et al. 2019 (LyoPRONTO), AAPS PharmSciTech 20:328, doi:10.1208/s12249-019-1532-7"
UARK_2019: Final = "XMuLV inactivation at low pH, thesis, University of Arkansas 2019, scholarworks.uark.edu/bmeguht/69"
WILSON_GEANKOPLIS_1966: Final = "Wilson & Geankoplis 1966, Ind. Eng. Chem. Fundam. 5:9-14"
ZIMMERMAN_2006: Final = "Zimmerman et al. 2006, J. Immunol. Methods 314:67-73"
