#include "espalier/ipc/core/internal/sip_hash.hpp"

#include <bit>
#include <cstddef>
#include <random>

namespace espalier::ipc::internal {

namespace {

// The four words of the state, and the mixing of them, as the authors of SipHash define it.
struct State {
  std::uint64_t a;
  std::uint64_t b;
  std::uint64_t c;
  std::uint64_t d;

  void mix(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      a += b;
      c += d;
      b = std::rotl(b, 13) ^ a;
      d = std::rotl(d, 16) ^ c;
      a = std::rotl(a, 32) + d;
      c += b;
      d = std::rotl(d, 21) ^ a;
      b = std::rotl(b, 17) ^ c;
      c = std::rotl(c, 32);
    }
  }
  void take(std::uint64_t word) {
    d ^= word;
    mix(2);
    a ^= word;
  }
};

// Up to eight bytes, the first one lowest.
std::uint64_t word_of(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    word = (word << 8U) | static_cast<unsigned char>(bytes[i]);
  return word;
}

}  // namespace

std::uint64_t sip_hash(const SipKey& key, std::string_view text) {
  State state{key.first ^ 0x736f6d6570736575, key.second ^ 0x646f72616e646f6d,
              key.first ^ 0x6c7967656e657261, key.second ^ 0x7465646279746573};
  const auto length = std::uint64_t{text.size()} << 56U;
  for (; text.size() >= 8; text.remove_prefix(8))
    state.take(word_of(text.substr(0, 8)));
  state.take(length | word_of(text));
  state.c ^= 0xFF;
  state.mix(4);
  return state.a ^ state.b ^ state.c ^ state.d;
}

const SipKey& process_key() {
  static const SipKey key = [] {
    std::random_device random;
    const auto word = [&] { return (std::uint64_t{random()} << 32U) | random(); };
    return SipKey{word(), word()};
  }();
  return key;
}

}  // namespace espalier::ipc::internal
