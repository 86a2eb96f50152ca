"""Agency codes: the two forms, levels, and guesses of one form from the other."""

import re

import pytest

from exchange.edxml import agency_codes, codes

# code: form, level 1, parent, suggestions
CODES = {
    "000.00.00.H53": ("qcvn102", "H53", None, ("H53",)),
    "000.00.07.H53": ("qcvn102", "H53", "000.00.00.H53", ("H53.07",)),
    "000.01.07.H53": ("qcvn102", "H53", "000.00.07.H53", ("H53.07.01",)),
    "001.01.07.H53": ("qcvn102", "H53", "000.01.07.H53", ()),
    "000.20.00.H53": ("qcvn102", "H53", "000.00.00.H53", ()),
    "001.00.20.JB2": ("qcvn102", "JB2", "000.00.20.JB2", ()),
    " 000.00.00.h53 ": ("qcvn102", "H53", None, ("H53",)),
    "H37": ("qd20", "H37", None, ("000.00.00.H37",)),
    "H37.02": ("qd20", "H37", "H37", ("000.00.02.H37",)),
    "H37.02.02": ("qd20", "H37", "H37.02", ("000.02.02.H37",)),
    "H37.DN.001": ("qd20", "H37", "H37.DN", ()),
    "H37.02.02.01": ("qd20", "H37", "H37.02.02", ()),
    "00.53.W00": ("system", "W00", None, ()),
    "vxp.saas.03": ("system", None, None, ()),
    "28.22.H17": ("other", "H17", None, ()),
    "000.1137.H53": ("other", "H53", None, ()),
    "H37." + "1" * 40: ("other", None, None, ()),
    "null": ("other", None, None, ()),
    "": ("other", None, None, ()),
    "000.00.00.Đ53": ("other", None, None, ()),
    "٠٠٠.00.00.H53": ("other", "H53", None, ()),
}


@pytest.mark.parametrize("code", CODES)
def test_a_code(code):
    told = agency_codes.form(code), agency_codes.level_1(code), agency_codes.parent(code)
    assert (*told, agency_codes.suggestions(code)) == CODES[code]


@pytest.mark.parametrize("code", [code for code, row in CODES.items() if row[3]])
def test_a_suggestion_leads_back(code):
    (suggested,) = agency_codes.suggestions(code)
    assert agency_codes.suggestions(suggested) == (code.strip().upper(),)


@pytest.mark.parametrize("form", codes.AGENCY_FORMS)
def test_the_example_of_a_form_fits_no_other(form):
    example = codes.AGENCY_FORMS[form]["example"]
    assert [name for name, row in codes.AGENCY_FORMS.items() if re.fullmatch(row["pattern"], example)] == [
        form
    ]
    assert agency_codes.form(example) == form
