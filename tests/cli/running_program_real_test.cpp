#include "cli/running_program.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace espalier::cli {

TempFolder::TempFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "espalier-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string TempFolder::write(const std::string& name, const std::string& text) const {
  std::ofstream(path(name)) << text;
  return path(name);
}

RunningProgram::RunningProgram(const TempFolder& folder, const std::vector<std::string>& arguments,
                               const std::map<std::string, std::string>& environment,
                               const std::string& input)
    : out_path_(folder.path("stdout")), err_path_(folder.path("stderr")) {
  std::vector<std::string> words = {ESPALIER_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ != 0) return;
  const auto redirect = [](const std::string& path, int fd) {
    dup2(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), fd);
  };
  redirect(out_path_, STDOUT_FILENO);
  redirect(err_path_, STDERR_FILENO);
  if (!input.empty()) dup2(open(input.c_str(), O_RDONLY), STDIN_FILENO);
  for (const auto& [name, value] : environment)
    setenv(name.c_str(), value.c_str(), 1);
  execv(argv.front(), argv.data());
  _exit(127);
}

RunningProgram::~RunningProgram() {
  if (code_) return;
  signal(SIGKILL);
  static_cast<void>(wait());
}

void RunningProgram::signal(int number) const {
  kill(pid_, number);
}

int RunningProgram::wait(std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!code_) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    } else if (std::chrono::steady_clock::now() > end) {
      return -1;
    } else {
      short_pause();
    }
  }
  return *code_;
}

std::string RunningProgram::out() const {
  return read_file(out_path_);
}
std::string RunningProgram::err() const {
  return read_file(err_path_);
}

bool RunningProgram::wait_for_err(const std::string& text) const {
  return eventually([&] { return err().find(text) != std::string::npos; });
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

bool is_alive(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.at(name_end + 2) != 'Z';
}

void short_pause() {
  std::this_thread::sleep_for(std::chrono::milliseconds{10});
}

}  // namespace espalier::cli
