"""Breaks what the file of children that were added at run time promises: it is the old one or the
new one, whatever happens, and nothing goes from it unasked."""

BASE = "libsupervisor/espalier/supervisor/runtime"
TESTS = {"file": ["supervisor_runtime_test_real RegistryFile*"],
         "tree": ["supervisor_runtime_test_real DynamicRegistry*:RegistryFile*"]}

NEVER = "if (false) {"

# group, name, tests, file, text, replacement.
MUTATIONS = [
    # The file.
    ("file", "no_fsync: the new file is not synced", "file", "registry_file.cpp",
     "  if (::fsync(fd) != 0) return failed(\"writing\", path);\n", ""),
    ("file", "no_dir_fsync: its name is not synced", "file", "registry_file.cpp",
     "fd.get() < 0 || ::fsync(fd.get()) != 0", "fd.get() < 0"),
    ("file", "it is written in place", "file", "registry_file.cpp",
     "const auto fresh = path + \".new\";", "const auto fresh = path;"),
    ("file", "a write that fails counts", "file", "registry_file.cpp",
     "    if (n < 0) return failed(\"writing\", path);\n", "    if (n < 0) break;\n"),
    ("file", "a short write counts", "file", "registry_file.cpp",
     "  while (at < text.size()) {\n    const auto n = ::write(",
     "  for (int i = 0; i < 1; ++i) {\n    const auto n = ::write("),
    ("file", "an old copy is written over, not replaced", "file", "registry_file.cpp",
     "write_to(fresh, text, O_TRUNC)", "write_to(fresh, text, 0)"),
    ("file", "a link is followed", "file", "registry_file.cpp", "| O_NOFOLLOW | flags",
     "| flags"),
    ("file", "everybody may read it", "file", "registry_file.cpp", "S_IRUSR | S_IWUSR)",
     "0644)"),
    ("file", "a file of any size is read", "file", "registry_file.cpp",
     "if (text->size() > largest) {", NEVER),
    ("file", "anything is read", "file", "registry_file.cpp",
     "if (!std::filesystem::is_regular_file(status)) {", NEVER),
    ("file", "the second damaged file replaces the first", "file", "registry_file.cpp",
     "    if (std::filesystem::exists(aside, fault)) continue;\n", ""),
    # What is in it.
    ("children", "what was added is not kept", "tree", "dynamic_registry.cpp",
     "    if (result) self->put(kept);\n", ""),
    ("children", "what was refused is kept", "tree", "dynamic_registry.cpp",
     "    if (result) self->put(kept);\n", "    self->put(kept);\n"),
    ("children", "a dry run is kept", "tree", "dynamic_registry.cpp",
     "  if (command.dry_run) return {};\n", ""),
    ("children", "what was removed comes back", "tree", "dynamic_registry.cpp",
     "if (const auto own = ids_.find(event.path); own != ids_.end()) take(own->second);", ""),
    ("children", "what was below a removed one stays", "tree", "dynamic_registry.cpp",
     "    take((at++)->second);", "    ++at;"),
    ("children", "the end does not wait for the last write", "tree", "dynamic_registry.cpp",
     "    if (version_ == written_) return;\n", "    if (ending_) return;\n"),
    ("children", "what was still to come back is thrown away", "tree", "dynamic_registry.cpp",
     "  return code == Code::shutting_down ||", "  return code == Code::name_taken ||"),
    ("children", "what reads back differently is kept", "tree", "dynamic_registry.cpp",
     "  if (!changes.empty()) return refuse(changes);\n", ""),
    ("children", "a child is dropped though it could not be put aside", "tree",
     "dynamic_registry.cpp", "  if (!problem) {\n    const std::lock_guard",
     "  {\n    const std::lock_guard"),
    ("children", "a damaged file is written over", "tree", "dynamic_registry.cpp",
     "    const auto aside = put_aside(file_);\n",
     "    const expected<std::string, std::string> aside = file_;\n"),
    ("children", "nobody hears that it cannot be written", "tree", "dynamic_registry.cpp",
     "  if (problem) tell(", "  if (false) tell("),
    ("children", "an answer says yes though it was not written", "tree", "dynamic_registry.cpp",
     "  return problem_;\n", "  return {};\n"),
]
