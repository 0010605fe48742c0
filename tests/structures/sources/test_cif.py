import gzip
import random
import re
import warnings

import gemmi
import numpy as np
import pytest
import spglib
from compare import images, same_atoms
from damage import DAMAGE, cif_of, damaged_cifs, random_crystal
from hypothesis import given
from hypothesis import strategies as st

from sgbench.structures.sources import Entry, Excluded, Exclusion
from sgbench.structures.sources import _entry as reasons
from sgbench.structures.sources._cif import MAX_BYTES, closed_group, entry_from_cif
from sgbench.structures.sources._symbols import settings_of

QUARTZ = """\
data_quartz
_chemical_name_mineral 'Quartz'
_chemical_formula_sum 'Si O2'
_publ_author_name 'Müller, É.'
_journal_year 1980
_journal_name_full 'American Mineralogist'
_journal_volume 65
_journal_page_first 920
_journal_page_last 930
_cell_length_a 4.9134(2)
_cell_length_b 4.9134(2)
_cell_length_c 5.4052
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_symmetry_space_group_name_H-M 'P 32 2 1'
loop_
_symmetry_equiv_pos_as_xyz
'x,y,z'
'y,x,2/3-z'
'-y,x-y,2/3+z'
'-x,-x+y,1/3-z'
'-x+y,-x,1/3+z'
'x-y,-y,-z'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Si 0.46970 0.00000 0.00000
O 0.41350(3) 0.26690 0.11910
"""


def sites(*rows: str, columns: str = "label type_symbol fract_x fract_y fract_z") -> str:
    """Return quartz with other atoms."""
    head = QUARTZ[: QUARTZ.index("loop_\n_atom_site_label")]
    tags = "\n".join(f"_atom_site_{column}" for column in columns.split())
    return head + "loop_\n" + tags + "\n" + "\n".join(rows) + "\n"


def read(text: str | bytes, **options) -> Entry:
    entry = entry_from_cif(text, "x", **options)
    assert isinstance(entry, Entry), entry
    return entry


def refused(text: str | bytes) -> Excluded:
    entry = entry_from_cif(text, "x")
    assert isinstance(entry, Excluded), entry
    return entry


def filled(entry: Entry) -> dict[str, np.ndarray]:
    """Return the positions of all atoms of the cell, element by element."""
    positions, site = images(entry.cell, entry.operators, entry.positions)
    elements = np.array(entry.elements)[site]
    return {e: positions[elements == e] for e in sorted(set(entry.elements))}


def test_quartz():
    assert read(QUARTZ) == Entry(
        structure_id="x",
        name="Quartz",
        spacegroup=154,
        cell=(4.9134, 4.9134, 5.4052, 90.0, 90.0, 120.0),
        operators=(
            "x,y,z",
            "y,x,-z+2/3",
            "-y,x-y,z+2/3",
            "-x,-x+y,-z+1/3",
            "-x+y,-x,z+1/3",
            "x-y,-y,-z",
        ),
        elements=("Si", "O"),
        positions=((0.4697, 0.0, 0.0), (0.4135, 0.2669, 0.1191)),
        occupancies=(1.0, 1.0),
        citation="Müller, É. (1980). American Mineralogist 65, 920-930",
    )


def test_what_the_caller_knows_goes_before_what_the_file_says():
    entry = read(QUARTZ, name="Sand", spacegroup=152, citation="")
    assert (entry.name, entry.spacegroup, entry.citation) == ("Sand", 152, "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_ends_of_lines(encoding, newline):
    assert read(QUARTZ.replace("\n", newline).encode(encoding)) == read(QUARTZ)


def test_letters_beyond_ascii_outside_quotes():
    assert read(QUARTZ.replace("'Quartz'", "Kvärts")).name == "Kvärts"
    assert read("# é\n" + QUARTZ + "\x1a") == read(QUARTZ)


@pytest.mark.parametrize("symmetry", ["operators", "symbol", "hall"])
def test_random_groups_come_back(symmetry):
    rng = random.Random(symmetry)
    for _ in range(80):
        crystal = random_crystal(rng)
        entry = read(cif_of(crystal, symmetry))
        assert entry.cell == pytest.approx(crystal.cell, abs=1e-9)
        assert set(entry.operators) == set(crystal.operators)
        assert len(entry.operators) == len(crystal.operators)
        assert entry.elements == crystal.elements
        np.testing.assert_allclose(entry.positions, crystal.positions, atol=1e-9)
        assert entry.occupancies == crystal.occupancies
        p1 = crystal.operators == ("x,y,z",)
        assert entry.spacegroup == (None if p1 else crystal.group.number)


@pytest.mark.parametrize("number", range(1, 231))
def test_a_number_stands_for_its_standard_setting(number):
    group = gemmi.find_spacegroup_by_number(number)
    crystal = random_crystal(random.Random(number), group)
    entry = entry_from_cif(cif_of(crystal, "number"), "x")
    if group.ext in ("1", "2"):  # either origin may be meant
        assert isinstance(entry, Excluded)
        assert "origin" in entry.detail
    else:
        assert set(entry.operators) == set(crystal.operators)


def test_rhombohedral_axes_are_seen_from_the_cell():
    group = gemmi.find_spacegroup_by_name("R -3 c:R")
    crystal = random_crystal(random.Random(1), group)
    text = cif_of(crystal, "symbol").replace("R -3 c:R", "R -3 c")
    assert set(read(text).operators) == set(crystal.operators)
    assert len(read(cif_of(random_crystal(random.Random(1), group), "number")).operators) == 12


@pytest.mark.parametrize(
    ("symbol", "setting"),
    [
        ("Fm-3m", "F m -3 m"),
        ("P2_1/c", "P 1 21/c 1"),
        ("P 21/n", "P 1 21/n 1"),
        ("F d -3 m Z", "F d -3 m:2"),
        ("I 41/a m d S", "I 41/a m d:1"),
        ("R -3 m H", "R -3 m:H"),
        ("R 3 c R", "R 3 c:R"),
        ("F 4/m -3 2/m", "F m -3 m"),
        ("F m 3 m", "F m -3 m"),
        ("R -3 2/m", "R -3 m:H"),
        ("R -3 2/m", "R -3 m:R"),
        ("P 2_1/b 2_1/c 2_1/a", "P b c a"),
        ("P 21/b", "P 1 1 21/b"),
        ("P 21/b", "P 21/b 1 1"),
        ("B 2/b", "B 1 1 2/b"),
        ("P 2/m", "P 1 1 2/m"),
        ("P 2/m", "P 2/m 1 1"),
        ("C 2/c", "C 1 2/c 1"),
        ("FD-3MZ", "F d -3 m:2"),
        ("I41/AMDS", "I 41/a m d:1"),
        ("P121/C1", "P 1 21/c 1"),
        ("C m c e", "C m c a"),
        ("P n n n 2", "P n n n:2"),
        ("P n n 2", "P n n 2"),
        ("H 3 2", "R 3 2:H"),
    ],
)
def test_spellings_of_symbols(symbol, setting):
    group = gemmi.find_spacegroup_by_name(setting)
    crystal = random_crystal(random.Random(2), group)
    entry = read(cif_of(crystal, "symbol").replace(group.xhm(), symbol))
    assert set(entry.operators) == set(crystal.operators)
    assert entry.spacegroup == group.number


@pytest.mark.parametrize(
    ("symbol", "code", "setting"),
    [
        ("F d -3 m", "2", "F d -3 m:2"),
        ("F d -3 m", "1", "F d -3 m:1"),
        ("P n n n", "2abc", "P n n n:2"),
        ("P b a n", "1abc", "P b a n:1"),
        ("P n m a", "abc", "P n m a"),
        ("P m n b", "ba-c", "P m n b"),
        ("R -3 m", "h", "R -3 m:H"),
        ("R -3 m", "R", "R -3 m:R"),
        ("P 2/m", "c", "P 1 1 2/m"),
        ("P 2/m", "b1", "P 1 2/m 1"),
        ("F m -3 m", "1", "F m -3 m"),
        ("F d -3 m", "?", "leaves the origin open"),
        ("P n m a", "ba-c", "has no setting of the code 'ba-c'"),
        ("F d -3 m:1", "2", "has no setting of the code '2'"),
        ("P 1 2/m 1", "c1", "has no setting of the code 'c1'"),
    ],
)
def test_codes_of_settings(symbol, code, setting):
    group = gemmi.find_spacegroup_by_name(setting) or gemmi.find_spacegroup_by_name(symbol)
    crystal = random_crystal(random.Random(3), group)
    text = cif_of(crystal, "symbol").replace(group.xhm(), symbol)
    text += f"\n_space_group_IT_coordinate_system_code {code}\n"
    if " " in setting and setting[0].isupper():
        assert set(read(text).operators) == set(crystal.operators)
    else:
        assert setting in refused(text).detail


def test_every_symbol_of_every_table_is_of_its_group():
    for group in gemmi.spacegroup_table():
        (found,) = [one for one in settings_of(group.xhm()) if one.ext == group.ext]
        assert found.xhm() == group.xhm()
        for spelling in (group.hm, group.hm.replace(" ", ""), group.hm.upper()):
            assert group.xhm() in {one.xhm() for one in settings_of(spelling)}
    for number in range(1, 531):
        kind = spglib.get_spacegroup_type(number)
        for symbol in (kind.international_full, kind.international_short):
            assert {one.number for one in settings_of(symbol)} <= {kind.number}
        if " = " not in kind.international and "e" not in kind.international:
            found = {
                frozenset(op.triplet() for op in one.operations())
                for one in settings_of(kind.international_full)
            }
            spglibs = gemmi.symops_from_hall(kind.hall_symbol)
            assert frozenset(op.triplet() for op in spglibs) in found


CUBE = {"4.9134(2)": "6.0", "5.4052": "6.0", "gamma 120": "gamma 90"}


def cubic(symbol: str, **changes: str) -> str:
    """Return a CIF without operators, of a cell with three right angles and equal edges."""
    start, end = QUARTZ.index("loop_"), QUARTZ.index("loop_\n_atom_site_label")
    text = QUARTZ[:start].replace("'P 32 2 1'", f"'{symbol}'") + QUARTZ[end:]
    for old, new in CUBE.items():
        text = text.replace(old, new)
    for tag, value in changes.items():
        text = re.sub(rf"(_cell_{tag}) .*", rf"\1 {value}", text)
    return text


def test_the_cell_tells_the_unique_axis():
    gamma = read(cubic("P 2/m", angle_gamma="90.2"))
    assert set(gamma.operators) == {"x,y,z", "-x,-y,z", "-x,-y,-z", "x,y,-z"}
    alpha = read(cubic("P 2/m", angle_alpha="90.05"))
    assert set(alpha.operators) == {"x,y,z", "x,-y,-z", "-x,-y,-z", "-x,y,z"}
    conventional = {"x,y,z", "-x,y,-z", "-x,-y,-z", "x,-y,z"}
    for angle in ("90", "90.01"):
        assert set(read(cubic("P 2/m", angle_beta=angle)).operators) == conventional


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (cubic("P 1 2/m 1", angle_gamma="95"), "the cell does not fit 'P 1 2/m 1'"),
        (cubic("P 21/c", angle_gamma="95"), "the cell does not fit 'P 21/c'"),
        (cubic("F m -3 m", length_b="6.1"), "the cell does not fit 'F m -3 m'"),
        (cubic("P 21/b"), "leaves the setting open"),
        (cubic("F d -3 m"), "leaves the origin open"),
        (cubic("Xx 3 m"), "the space group 'Xx 3 m' is not understood"),
        # Any setting of the group may be meant.
        (cubic("X") + "_symmetry_Int_Tables_number 62\n", "'X' is not understood"),
        (cubic("?"), "neither symmetry operators nor a space group"),
    ],
)
def test_groups_that_are_not_told(text, detail):
    assert detail in refused(text).detail


def test_a_number_helps_where_its_group_has_one_setting():
    entry = read(cubic("X") + "_symmetry_Int_Tables_number 225\n")
    assert len(entry.operators) == 192


def test_labels():
    cubic = gemmi.find_spacegroup_by_name("P m -3 m")
    text = cif_of(random_crystal(random.Random(0), cubic)).replace("number 221", "number ?")
    for symbol in ("P m -3 m", "P 4/m -3 2/m", "?"):  # an unknown one is left to the operators
        assert read(text.replace("'P m -3 m'", f"'{symbol}'")).spacegroup == 221
    assert read(QUARTZ.replace("'P 32 2 1'", "?")).spacegroup is None  # of an unusual origin
    assert read("data_q\n_symmetry_Int_Tables_number 152\n" + QUARTZ[12:]).spacegroup == 152
    start, end = QUARTZ.index("'y,x,2/3-z'"), QUARTZ.index("loop_\n_atom_site_label")
    p1 = QUARTZ[:start] + QUARTZ[end:]
    assert read(p1).operators == ("x,y,z",)
    assert read(p1).spacegroup == 154  # stated, so it can be compared with what spglib finds
    assert read(p1.replace("P 32 2 1", "P 1")).spacegroup is None
    assert read(p1.replace("'P 32 2 1'", "?")).spacegroup is None


def test_data_names_with_dots_and_in_capitals():
    text = QUARTZ.replace("_cell_", "_CELL.").replace("_atom_site_", "_Atom_Site.")
    assert read(text.replace("_symmetry_equiv_pos_as", "_space_group_symop.operation")) == read(
        QUARTZ
    )


def test_templates_are_passed_over():
    template = QUARTZ.replace("quartz", "template")
    for number in re.findall(r"-?\d+\.\d+(?:\(\d\))?", template):
        template = template.replace(f" {number}", " ?")
    assert "0.4" not in template
    assert read(template + QUARTZ) == read(QUARTZ)
    loop = "loop_\n_space_group_symop_operation_xyz\n?\n?\n"
    assert read(QUARTZ.replace("loop_", f"{loop}loop_", 1)) == read(QUARTZ)


def test_the_first_block_with_atoms_counts():
    text = "data_global\n_journal_year 1900\n" + QUARTZ + QUARTZ.replace("quartz", "other")
    assert read(text) == read(QUARTZ)


@pytest.mark.parametrize(
    ("species", "element"),
    [
        ("Fe3+", "Fe"),
        ("Fe+3", "Fe"),
        ("O2-", "O"),
        ("Cl1-", "Cl"),
        ("FE", "Fe"),
        ("D", "H"),
        ("T", "H"),
        ("D1+", "H"),
        ("13C", "C"),
        ("Si0+", "Si"),
    ],
)
def test_species(species, element):
    assert read(sites(f"A1 {species} 0 0 0")).elements == (element,)


@pytest.mark.parametrize("species", ["X", "Wat", "OH", "M1", "T1", "Cval", "Es", "Fe(III)", "12"])
def test_unknown_species(species):
    entry = refused(sites(f"O1 {species} 0 0 0"))
    assert (entry.reason, entry.detail) == (reasons.UNREADABLE_SPECIES, species)


@pytest.mark.parametrize(
    ("label", "formula", "element"),
    [
        ("Si1A", "Si O2", "Si"),
        ("AlT1", "Al Si O4", "Al"),
        ("O-H3", "H O", "O"),
        ("OsA", "Si O2", "O"),
        ("CA1", "C6 H6", "C"),
        ("CA1", "Ca O", "Ca"),
        ("D2", "D2 O", "H"),
        ("Si1A", "?", "Si"),
        ("O1W", "?", "O"),
        ("CA1", "?", None),
        ("Om", "?", None),
        ("Wat", "W O3", None),
        ("SiAl", "Si Al O4", None),
        ("Fe3+M", "Fe O", "Fe"),
        ("MgOct", "Mg O", "Mg"),
        ("SiIV", "Si O2", "Si"),
        ("OIII", "Si O2", "O"),
        ("OW1", "H2 O", "O"),
        ("Ow1", "H2 O", "O"),
        ("CO1", "Co O", "Co"),
        ("Co1", "Co C O", "Co"),
        # Two elements of the compound could be meant.
        ("CO1", "Co C O", None),
        ("CA1", "Ca C O3", None),
        # Kinds of sites and words, which begin with letters of an element.
        ("T1", "Na Si O3 H", None),
        ("T1", "Na T O3", None),
        ("D1", "H2 O", None),
        ("M1", "Mo O3", None),
        ("Oct", "Si O2", None),
        ("OCT1", "C O2", None),
        ("Vac", "V O2", None),
        ("Va1", "V O2", None),
        ("Tet", "Te O2", None),
        ("Tet", "?", None),
        ("Cat1", "Ca O", None),
        ("CAT1", "Ca O", None),
        ("Site2", "Si O2", None),
        ("Cg1", "C H", None),
        # More than one atom
        ("H2O", "H2 O", None),
        ("H3O1", "H2 O", None),
        ("CO3", "Ca C O3", None),
        ("SO4", "Ca S O4", None),
        ("Fe/Mg", "Fe Mg O2", None),
        ("Na+K", "Na K", None),
        ("Fe1Mg1", "Fe Mg O2", None),
    ],
)
def test_labels_of_sites(label, formula, element):
    text = sites(f"{label} 0 0 0", columns="label fract_x fract_y fract_z")
    text = text.replace("'Si O2'", f"'{formula}'" if formula != "?" else "?")
    if element is None:
        assert refused(text).reason == reasons.UNREADABLE_SPECIES
    else:
        assert read(text).elements == (element,)


def test_occupancies():
    columns = "label type_symbol fract_x fract_y fract_z occupancy"
    text = sites("A Si 0 0 0 0.5(1)", "B O 0 0 0 .", "C O 0 0 0 -2", columns=columns)
    assert read(text).occupancies == (0.5, 1.0, -2.0)
    for wrong in ("?", "full", "nan"):
        text = sites(f"A Si 0 0 0 {wrong}", columns=columns)
        assert refused(text).reason == reasons.UNREADABLE


def test_atoms_that_are_not_listed():
    columns = "label type_symbol fract_x fract_y fract_z"
    dummies = sites("A Si 0 0 0 d", "B O ? ? ? dum", columns=f"{columns} calc_flag")
    assert read(dummies).elements == ("Si",)
    none = sites("A Si 0 0 0 dum", columns=f"{columns} calc_flag")
    assert refused(none).reason == reasons.NO_COORDINATES
    for attached, kept in (("0", True), (".", True), ("2", False)):
        text = sites(f"A O 0 0 0 {attached}", columns=f"{columns} attached_hydrogens")
        assert isinstance(entry_from_cif(text, "x"), Entry) is kept


def test_limits():
    assert refused(b"#" * (MAX_BYTES + 1)).reason == reasons.TOO_LARGE
    many = sites(*(f"A{i} O 0 0 0" for i in range(5001)))
    assert (refused(many).reason, refused(many).detail) == (reasons.TOO_LARGE, "5001 sites")
    assert len(read(sites(*(f"A{i} O 0 0 0" for i in range(5000)))).elements) == 5000


def test_every_subset_of_a_group_but_its_subgroups_is_refused():
    operators = ("x,y,z", "-x,-y,-z", "-x,y,-z", "x,-y,z")  # 2/m
    assert closed_group(("X, Y, Z", "-X,-Y,-Z")) == ("x,y,z", "-x,-y,-z")
    assert closed_group(("x,y,z", "+x,y,z")) == ("x,y,z",)
    for wrong in (operators[:3], operators[1:], operators[1:2], ("x,y,z", "-y,x,z")):
        with pytest.raises(Exclusion, match="group"):
            closed_group(wrong)
    # The rotations are a group, but the fourth power of the second is no lattice translation.
    with pytest.raises(Exclusion, match="group"):
        closed_group(("x,y,z", "-y,x,z+1/24", "-x,-y,z+1/12", "y,-x,z+1/8"))


#: Damage that leaves a readable structure; whether it makes sense is not for the reader to say.
READABLE = {
    "UTF-16",
    "not UTF-8",
    "occupancy above one",
    "negative occupancy",
    "label against operators",
    "label out of range",
    "all atoms at one point",
}
REASONS = {
    reasons.UNREADABLE,
    reasons.NO_COORDINATES,
    reasons.UNREADABLE_SPECIES,
    reasons.TOO_LARGE,
}


def test_damaged_files(capfd):
    damaged = damaged_cifs(6 * len(DAMAGE), seed=0)
    assert damaged == damaged_cifs(6 * len(DAMAGE), seed=0)
    entries = [(kind, entry_from_cif(content, name)) for name, content, kind in damaged]
    readable = {kind for kind, entry in entries if isinstance(entry, Entry)}
    assert readable - {"flipped bytes"} == READABLE  # which may hit what does not matter
    excluded = [entry for _, entry in entries if isinstance(entry, Excluded)]
    assert {entry.reason for entry in excluded} == REASONS
    assert all(entry.detail and len(entry.detail) <= 200 for entry in excluded)
    reason = {kind: entry.reason for kind, entry in entries if isinstance(entry, Excluded)}
    assert reason["a million atoms"] == reasons.TOO_LARGE
    assert reason["unknown element"] == reasons.UNREADABLE_SPECIES
    assert reason["coordinate missing"] == reasons.NO_COORDINATES
    assert reason["angles that cannot be"] == reasons.UNREADABLE
    assert capfd.readouterr() == ("", "")


def never_raises(text: str | bytes) -> None:
    entry = entry_from_cif(text, "x")
    if isinstance(entry, Entry):
        numbers = (*entry.cell, *np.ravel(entry.positions), *entry.occupancies)
        assert np.isfinite(numbers).all()
        assert len(entry.elements) == len(entry.positions) == len(entry.occupancies) > 0
        entry.citation.encode()
        entry.name.encode()
    else:
        entry.detail.encode()


@given(st.binary(max_size=300))
def test_any_bytes(content):
    never_raises(content)


@given(st.text(max_size=300))
def test_any_text(text):
    never_raises(text)


FRAGMENTS = [*QUARTZ.split(), "'", '"', ";", "\n", "\n;", "loop_", "data_", "save_", "global_"]
FRAGMENTS += ["stop_", "?", ".", "nan", "1e999", "\0", "é", "\udc80", "\\udc80", "_x", "\\x41", "("]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40), st.sampled_from([" ", "\n"]))
def test_any_tokens(tokens, separator):
    never_raises(separator.join(tokens))


@given(st.data())
def test_any_change_of_a_good_file(data):
    text = QUARTZ.encode()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        new = data.draw(st.one_of(st.binary(max_size=6), st.sampled_from(FRAGMENTS)))
        new = new if isinstance(new, bytes) else new.encode("utf-8", "surrogatepass")
        text = text[:start] + new + text[end:]
    never_raises(text)


@given(st.data())
def test_any_value_in_the_place_of_another(data):
    lines = QUARTZ.split("\n")
    row = data.draw(st.integers(1, len(lines) - 2))
    words = lines[row].split(" ")
    words[-1] = data.draw(
        st.one_of(st.text(max_size=8), st.floats().map(str), st.sampled_from(FRAGMENTS))
    )
    lines[row] = " ".join(words)
    never_raises("\n".join(lines))


@pytest.fixture(scope="module")
def pymatgen_structures():
    """Structures of random groups with atoms apart, as pymatgen has them."""
    from pymatgen.core import Lattice, Structure

    rng = random.Random(5)
    found = []
    while len(found) < 12:
        crystal = random_crystal(rng)
        ops = crystal.operators
        if len(ops) > 48:
            continue
        sites = np.array([[rng.random() for _ in range(3)] for _ in range(2)])
        positions, site = images(crystal.cell, ops, sites)
        species = [("Na", "Cl")[number] for number in site]
        structure = Structure(Lattice.from_parameters(*crystal.cell), species, positions)
        if structure.is_valid(tol=0.8):
            found.append(structure)
    return found


@pytest.mark.parametrize("symprec", [None, 0.01])
def test_cifs_of_pymatgen_are_read_as_pymatgen_reads_them(pymatgen_structures, symprec):
    from pymatgen.core import Structure
    from pymatgen.io.cif import CifWriter

    for structure in pymatgen_structures:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of spglib and of pymatgen's own reader
            text = str(CifWriter(structure, symprec=symprec))
            expected = Structure.from_str(text, fmt="cif")
        entry = read(text)
        np.testing.assert_allclose(entry.cell, expected.lattice.parameters, atol=1e-6)
        theirs = {
            element: np.array([s.frac_coords for s in expected if s.specie.symbol == element])
            for element in ("Cl", "Na")
        }
        assert same_atoms(filled(entry), theirs)
        assert gemmi.UnitCell(*entry.cell).volume == pytest.approx(expected.volume, rel=1e-6)
        if symprec is None:
            assert (entry.operators, entry.spacegroup) == (("x,y,z",), None)
        elif len(entry.operators) > 1:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert entry.spacegroup == structure.get_space_group_info(symprec)[1]


def test_the_same_by_gemmi():
    """Cells, positions and operators are those that gemmi's own reader finds."""
    rng = random.Random(9)
    for _ in range(40):
        text = cif_of(random_crystal(rng))
        small = gemmi.make_small_structure_from_block(gemmi.cif.read_string(text).sole_block())
        entry = read(gzip.decompress(gzip.compress(text.encode())))
        assert entry.cell == small.cell.parameters
        assert entry.positions == tuple(tuple(site.fract.tolist()) for site in small.sites)
        ours = sorted(entry.operators)
        assert ours == sorted(gemmi.Op(op).wrap().triplet() for op in small.symops)
