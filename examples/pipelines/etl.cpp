// A job as it comes up every day: fetch users, validate, enrich, save; count what became of them.
#include <espalier/pipeline.hpp>

#include <chrono>
#include <iostream>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace pipeline = espalier::pipeline;
using namespace std::chrono_literals;

namespace {

struct User {
  int id = 0;
  std::string name = {};
  std::string email = {};
  std::string country = {};
};

class Job {
 public:
  User fetch(const int& id) const { return {id, "user" + std::to_string(id), mail(id), {}}; }
  User validate(const User& user) const {
    if (user.email.find('@') == std::string::npos)
      throw std::invalid_argument(user.name + " has no address");
    return user;
  }
  User enrich(User user) const {
    user.country = user.id % 2 == 0 ? "NZ" : "CH";
    return user;
  }
  void save(const User& user) {
    const std::lock_guard lock(mutex_);
    saved_.push_back(user);
  }
  [[nodiscard]] std::size_t saved() const { return saved_.size(); }

 private:
  static std::string mail(int id) { return id % 7 == 0 ? "none" : std::to_string(id) + "@here"; }
  std::mutex mutex_;
  std::vector<User> saved_;
};

}  // namespace

int main() {
  Job job;
  auto users =
      pipeline::from<int>()
          .stage("fetch", [&](const int& id) { return job.fetch(id); },
                 {.workers = 4, .retry = pipeline::exponential(3, 10ms)})
          .stage("validate", [&](const User& user) { return job.validate(user); })
          .stage("enrich", [&](const User& user) { return job.enrich(user); }, {.workers = 2})
          .sink("save", [&](const User& user) { job.save(user); })
          .build({.name = "users"});
  std::vector<int> ids(50);
  std::iota(ids.begin(), ids.end(), 1);
  const auto results = users.run(ids);
  int failed = 0;
  for (const auto& result : results) {
    if (result.failure()) ++failed;
  }
  std::cout << results.size() << " users, " << job.saved() << " saved, " << failed << " failed\n";
}
