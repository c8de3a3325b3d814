#!/usr/bin/env python3
"""Generates Swift for the part of Envoy's API that used.txt names.

    generate.py --plugin PATH [--out DIR]   write DIR/Generated/*.pb.swift and DIR/Generator/manifest.txt
    generate.py --check                     compare manifest.txt with the installed descriptors

The descriptors come from the Python package xds-protos, whose modules hold each .proto file in serialized form: no
.proto text is read, kept or committed. They are pruned before protoc sees them, because the whole API is hundreds of
messages of which Sluice sends and reads a few dozen fields each, and Swift compiles every field of every message.
Pruning never renames or renumbers; what is left out decodes as an unknown field and is kept by SwiftProtobuf.

manifest.txt says in one line a field what was generated, so `--check` needs neither protoc nor Swift. Needs Python 3.9
with xds-protos installed (`make tools`); generating also needs protoc and protoc-gen-swift (`make protos`).
"""

import argparse
import ast
import importlib.metadata
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

try:
    from google.protobuf import any_pb2, descriptor_pb2, duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
except ImportError:
    sys.exit("generate.py: the Python package xds-protos is not installed; `make tools` installs it")

HERE = pathlib.Path(__file__).resolve().parent
Field = descriptor_pb2.FieldDescriptorProto
TYPES = {number: name[len("TYPE_"):].lower() for name, number in Field.Type.items()}
LABELS = {number: name[len("LABEL_"):].lower() for name, number in Field.Label.items()}
SWIFT_OPTIONS = ("Visibility=Package", "FileNaming=PathToUnderscores", "UseAccessLevelOnImports=true")
# The files whose types come with SwiftProtobuf; protoc still wants to see them.
WELL_KNOWN = [
    descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
    for module in (any_pb2, duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)
]
HEADER = """// Generated from the descriptors of xds-protos {version}, pruned to Generator/used.txt, by `make protos`.

"""


def read_used(path):
    """The messages that used.txt names, by full name: a list of fields, or None for `*`."""
    used, package = {}, None
    text = re.sub(r"#.*", "", path.read_text())
    for line in re.sub(r"\n[ \t]+", " ", text).splitlines():
        line = line.strip()
        if not line:
            continue
        if section := re.fullmatch(r"\[([\w.]+)\]", line):
            package = section[1]
            continue
        name, colon, fields = line.partition(":")
        full_name = f"{package}.{name.strip()}"
        if not colon or package is None or full_name in used:
            sys.exit(f"used.txt: no section, no fields or named twice: {line}")
        used[full_name] = None if fields.strip() == "*" else [field.strip() for field in fields.split(",")]
    return used


def installed_files(packages):
    """The FileDescriptorProtos of these packages, by file name. Modules are parsed, not run."""
    try:
        modules = importlib.metadata.files("xds-protos")
    except importlib.metadata.PackageNotFoundError:
        sys.exit("generate.py: the Python package xds-protos is not installed; `make tools` installs it")
    folders = {package.replace(".", "/") for package in packages}
    files = {}
    for module in modules:
        if module.parent.as_posix() not in folders or not module.name.endswith("_pb2.py"):
            continue
        serialized = re.search(r"AddSerializedFile\((b'.*')\)", module.read_text())
        file = descriptor_pb2.FileDescriptorProto.FromString(ast.literal_eval(serialized[1]))
        files[file.name] = file
    return files


def walk(file):
    """Every message of a file with its full name, outer before inner."""
    def inside(prefix, messages):
        for message in messages:
            name = f"{prefix}.{message.name}"
            yield name, message
            yield from inside(name, message.nested_type)
    yield from inside(file.package, file.message_type)


def referenced(field):
    """The full name of a field's message or enum type, or None for a scalar."""
    return field.type_name.lstrip(".") or None


class Pruner:
    """Copies the used part of the descriptors; what it does not copy is gone."""

    def __init__(self, files, used):
        self.files, self.used = files, used
        self.messages = {name: message for file in files.values() for name, message in walk(file)}
        self.home = {}  # full name of a type -> name of its file
        for file in [*files.values(), *WELL_KNOWN]:
            for name, message in walk(file):
                self.home[name] = file.name
                self.home.update({f"{name}.{enum.name}": file.name for enum in message.enum_type})
            self.home.update({f"{file.package}.{enum.name}": file.name for enum in file.enum_type})
        unknown = [name for name in used if name not in self.messages]
        if unknown:
            sys.exit("used.txt: not in xds-protos: " + ", ".join(unknown))
        self.fields = {name: self.kept_fields(name) for name in self.messages if name in used}
        self.enums = {referenced(field) for fields in self.fields.values() for field in fields
                      if field.type == Field.TYPE_ENUM}

    def kept_fields(self, name):
        """The fields of a message that are kept, in the order of the original."""
        wanted, message = self.used[name], self.messages[name]
        if wanted is None:
            return [field for field in message.field if self.is_available(field) and not field.options.deprecated]
        missing = set(wanted) - {field.name for field in message.field}
        fields = [field for field in message.field if field.name in wanted]
        missing |= {field.name for field in fields if not self.is_available(field)}
        if missing:
            sys.exit(f"used.txt: {name} has no such field, or its type is not named: {', '.join(sorted(missing))}")
        return fields

    def is_available(self, field):
        """Whether the type of a field is a scalar, comes with SwiftProtobuf, or is kept."""
        if field.type == Field.TYPE_ENUM:
            return referenced(field) in self.home
        if field.type != Field.TYPE_MESSAGE:
            return True
        entry = self.messages.get(referenced(field))
        if entry is not None and entry.options.map_entry:
            return all(self.is_available(part) for part in entry.field)
        return referenced(field) in self.used or self.home.get(referenced(field), "").startswith("google/protobuf/")

    def message(self, name, original):
        """A pruned copy, or None when neither the message nor anything inside it is kept."""
        copy = descriptor_pb2.DescriptorProto(name=original.name)
        fields = self.fields.get(name, [])
        entries = {referenced(field) for field in fields}
        for nested in original.nested_type:
            inner = f"{name}.{nested.name}"
            if nested.options.map_entry and inner in entries:
                kept = descriptor_pb2.DescriptorProto(name=nested.name, field=map(plain, nested.field))
                kept.options.map_entry = True
                copy.nested_type.append(kept)
            elif kept := self.message(inner, nested):
                copy.nested_type.append(kept)
        copy.enum_type.extend(self.kept_enums(name, original.enum_type))
        oneofs = sorted({field.oneof_index for field in fields if field.HasField("oneof_index")})
        copy.oneof_decl.extend(descriptor_pb2.OneofDescriptorProto(name=original.oneof_decl[i].name) for i in oneofs)
        for field in fields:
            copy.field.append(plain(field))
            if field.HasField("oneof_index"):
                copy.field[-1].oneof_index = oneofs.index(field.oneof_index)
        return copy if name in self.used or copy.nested_type or copy.enum_type else None

    def kept_enums(self, scope, enums):
        for original in (enum for enum in enums if f"{scope}.{enum.name}" in self.enums):
            copy = descriptor_pb2.EnumDescriptorProto(name=original.name)
            copy.value.extend(descriptor_pb2.EnumValueDescriptorProto(name=v.name, number=v.number)
                              for v in original.value)
            if original.options.allow_alias:
                copy.options.allow_alias = True
            yield copy

    def file(self, original):
        """A pruned copy with the imports it needs, or None when nothing of it is kept."""
        if original.syntax != "proto3":
            return None
        copy = descriptor_pb2.FileDescriptorProto(name=original.name, package=original.package, syntax="proto3")
        pruned = (self.message(f"{original.package}.{m.name}", m) for m in original.message_type)
        copy.message_type.extend(message for message in pruned if message)
        copy.enum_type.extend(self.kept_enums(original.package, original.enum_type))
        types = {referenced(field) for _, message in walk(copy) for field in message.field} - {None}
        copy.dependency.extend(sorted({self.home[name] for name in types} - {original.name}))
        return copy if copy.message_type or copy.enum_type else None

    def result(self):
        return list(filter(None, (self.file(self.files[name]) for name in sorted(self.files))))


def plain(field):
    """A field without its options (validation rules, deprecation) and without its oneof, whose index changes."""
    if field.proto3_optional or field.options.HasField("packed"):
        sys.exit(f"generate.py: cannot copy {field.name}: proto3 optional and explicit packing are not supported")
    copy = Field(name=field.name, number=field.number, label=field.label, type=field.type)
    if field.type_name:
        copy.type_name = field.type_name
    return copy


def manifest(files):
    """One line a message, field and enum value: what Swift declares, in a form that is easy to compare."""
    messages = {name: message for file in files for name, message in walk(file)}
    lines = {f"{file.package}.{enum.name}.{value.name} = {value.number}"
             for file in files for enum in file.enum_type for value in enum.value}
    for name, message in messages.items():
        if message.options.map_entry:
            continue
        lines.add(f"message {name}")
        lines |= {f"{name}.{e.name}.{value.name} = {value.number}" for e in message.enum_type for value in e.value}
        lines |= {f"{name}.{f.name} = {f.number} {kind(f, messages)}"
                  + (f" oneof {message.oneof_decl[f.oneof_index].name}" if f.HasField("oneof_index") else "")
                  for f in message.field}
    return lines


def kind(field, messages):
    """Label and type of a field: `optional string`, `repeated some.Message`, `map string some.Message`."""
    entry = messages.get(referenced(field))
    if entry is not None and entry.options.map_entry:
        return "map " + " ".join(referenced(part) or TYPES[part.type] for part in entry.field)
    return f"{LABELS[field.label]} {referenced(field) or TYPES[field.type]}"


def generate(files, plugin, out, version):
    """Runs protoc and replaces what an earlier run wrote to `out`."""
    with tempfile.TemporaryDirectory() as scratch:
        descriptors = pathlib.Path(scratch, "descriptors.binpb")
        everything = descriptor_pb2.FileDescriptorSet(file=WELL_KNOWN + files)
        descriptors.write_bytes(everything.SerializeToString(deterministic=True))
        produced = pathlib.Path(scratch, "swift")
        produced.mkdir()
        subprocess.run(
            ["protoc", f"--descriptor_set_in={descriptors}", f"--plugin=protoc-gen-swift={plugin}",
             f"--swift_out={produced}", *(f"--swift_opt={option}" for option in SWIFT_OPTIONS),
             *(file.name for file in files)], check=True)
        shutil.rmtree(out / "Generated", ignore_errors=True)
        (out / "Generated").mkdir(parents=True)
        for source in sorted(produced.iterdir()):
            (out / "Generated" / source.name).write_text(HEADER.format(version=version) + source.read_text())
    (out / "Generator").mkdir(exist_ok=True)
    heading = f"# What Swift declares of xds-protos {version}. Written by generate.py; do not edit.\n"
    lines = "".join(f"{line}\n" for line in sorted(manifest(files)))
    (out / "Generator/manifest.txt").write_text(heading + lines)


def main():
    parser = argparse.ArgumentParser(description="Generates Swift for the used part of Envoy's API.")
    parser.add_argument("--check", action="store_true", help="compare manifest.txt with the installed descriptors")
    parser.add_argument("--plugin", help="path of protoc-gen-swift")
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent, help="where to write")
    arguments = parser.parse_args()

    used = read_used(HERE / "used.txt")
    files = installed_files({name[:re.search(r"\.[A-Z]", name).start()] for name in used})
    version = importlib.metadata.version("xds-protos")
    if arguments.check:
        committed = {line for line in (HERE / "manifest.txt").read_text().splitlines() if not line.startswith("#")}
        wrong = sorted(committed - manifest(files.values()))
        if wrong:
            sys.exit(f"differs from xds-protos {version}:\n  " + "\n  ".join(wrong))
        print(f"manifest.txt: {len(committed)} declarations agree with xds-protos {version}")
        return
    if not arguments.plugin:
        parser.error("--plugin is needed to generate")
    generate(Pruner(files, used).result(), arguments.plugin, arguments.out, version)


if __name__ == "__main__":
    main()
