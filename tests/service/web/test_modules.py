"""ES modules as one file; tests/browser runs what comes of it."""

import pytest

from service.web.modules import bundle, closure


def test_modules_are_found_through_those_that_import_them():
    files = {
        "a.js": b'import { x } from "./b.js";\nimport {\n  y,\n} from "./below/c.js";\n'
        b'const text = "import z from \\"./none.js\\"";\nawait import("./later.js");\n',
        "b.js": b'export * from "./below/c.js";\n',
        "below/c.js": b'import "../a.js";\nimport d from "../d.js";',
        "d.js": b"",
    }
    assert closure(files, "a.js") == ["a.js", "b.js", "below/c.js", "d.js"]


def test_a_bundle_leaves_out_comments_and_what_is_not_needed():
    files = {
        "a.js": b'/* Starts. */\n\nimport { b } from "./b.js";\n\n  // why\nb("// 1");\n',
        "b.js": b"/**\n * Ends.\n */\nexport const b = (x) => x; // as it is\n",
        "c.js": b"throw 1;\n",
    }
    text = bundle(files, "a.js").decode()
    assert text.index("as it is") < text.index("b(")
    for gone in ("Starts", "Ends", "why", "throw", "import", "export"):
        assert gone not in text


@pytest.mark.parametrize(
    "form",
    [
        *("import b from './b.js';", 'import * as b from "./b.js";', 'import "b";'),
        *("export default 1;", "export let b = 1;", 'export { b } from "./b.js";'),
        'import { a } from "./a.js";',  # a circle
    ],
)
def test_a_form_that_bundles_do_not_know_is_refused(form):
    files = {"a.js": form.encode() + b"\n", "b.js": b"export const b = 1;\n"}
    with pytest.raises(ValueError, match=r"a\.js"):
        bundle(files, "a.js")
