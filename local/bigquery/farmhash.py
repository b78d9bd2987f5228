"""FARM_FINGERPRINT: Fingerprint64 of the open-source FarmHash library, as BigQuery's reference says.

https://cloud.google.com/bigquery/docs/reference/standard-sql/hash_functions#farm_fingerprint, and for the function
https://github.com/google/farmhash (farmhashna::Hash64). Its names are kept, so that the two can be laid side by side.
"""

from struct import unpack_from

_MASK = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def fingerprint(data: bytes) -> int:
    """The signed INT64 that FARM_FINGERPRINT gives."""
    unsigned = _hash64(data)
    return unsigned - (1 << 64) if unsigned >> 63 else unsigned


def _hash64(data: bytes) -> int:
    length = len(data)
    if length <= 16:
        return _up_to_16(data, length)
    if length <= 32:
        return _up_to_32(data, length)
    return _up_to_64(data, length) if length <= 64 else _longer(data, length)


def _fetch(data: bytes, place: int) -> int:
    word: int = unpack_from("<Q", data, place)[0]
    return word


def _fetch32(data: bytes, place: int) -> int:
    word: int = unpack_from("<I", data, place)[0]
    return word


def _rotate(value: int, shift: int) -> int:
    value &= _MASK
    return (value >> shift | value << (64 - shift)) & _MASK


def _shift_mix(value: int) -> int:
    value &= _MASK
    return value ^ value >> 47


def _hash_len_16(u: int, v: int, mul: int) -> int:
    a = _shift_mix(((u ^ v) & _MASK) * mul)
    return _shift_mix(((v & _MASK) ^ a) * mul) * mul & _MASK


def _up_to_16(data: bytes, length: int) -> int:
    if length >= 8:
        mul = _K2 + length * 2 & _MASK
        a, b = _fetch(data, 0) + _K2 & _MASK, _fetch(data, length - 8)
        c = _rotate(b, 37) * mul + a
        return _hash_len_16(c & _MASK, (_rotate(a, 25) + b) * mul & _MASK, mul)
    if length >= 4:
        mul = _K2 + length * 2 & _MASK
        return _hash_len_16(length + (_fetch32(data, 0) << 3), _fetch32(data, length - 4), mul)
    if length > 0:
        y = data[0] + (data[length >> 1] << 8)
        z = length + (data[length - 1] << 2)
        return _shift_mix(y * _K2 & _MASK ^ z * _K0 & _MASK) * _K2 & _MASK
    return _K2


def _up_to_32(data: bytes, length: int) -> int:
    mul = _K2 + length * 2 & _MASK
    a, b = _fetch(data, 0) * _K1 & _MASK, _fetch(data, 8)
    c, d = _fetch(data, length - 8) * mul & _MASK, _fetch(data, length - 16) * _K2
    u = _rotate(a + b, 43) + _rotate(c, 30) + d
    return _hash_len_16(u & _MASK, a + _rotate(b + _K2, 18) + c & _MASK, mul)


def _up_to_64(data: bytes, length: int) -> int:
    mul = _K2 + length * 2 & _MASK
    a, b = _fetch(data, 0) * _K2 & _MASK, _fetch(data, 8)
    c, d = _fetch(data, length - 8) * mul & _MASK, _fetch(data, length - 16) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d & _MASK
    z = _hash_len_16(y, a + _rotate(b + _K2, 18) + c & _MASK, mul)
    e, f = _fetch(data, 16) * mul & _MASK, _fetch(data, 24)
    g, h = (y + _fetch(data, length - 32)) * mul & _MASK, (z + _fetch(data, length - 24)) * mul & _MASK
    u = _rotate(e + f, 43) + _rotate(g, 30) + h
    return _hash_len_16(u & _MASK, e + _rotate(f + a, 18) + g & _MASK, mul)


def _weak_hash_len_32(data: bytes, place: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = unpack_from("<4Q", data, place)
    a = a + w & _MASK
    b = _rotate(b + a + z, 21)
    c = a
    a = a + x + y & _MASK
    b = b + _rotate(a, 44) & _MASK
    return a + z & _MASK, b + c & _MASK


def _longer(data: bytes, length: int) -> int:
    seed = 81
    x, y = seed, (seed * _K1 + 113) & _MASK
    z = _shift_mix(y * _K2 + 113) * _K2 & _MASK
    v, w = (0, 0), (0, 0)
    x = x * _K2 + _fetch(data, 0) & _MASK
    end = (length - 1) // 64 * 64
    for place in range(0, end, 64):
        x = _rotate(x + y + v[0] + _fetch(data, place + 8), 37) * _K1 & _MASK
        y = _rotate(y + v[1] + _fetch(data, place + 48), 42) * _K1 & _MASK
        x ^= w[1]
        y = y + v[0] + _fetch(data, place + 40) & _MASK
        z = _rotate(z + w[0], 33) * _K1 & _MASK
        v = _weak_hash_len_32(data, place, v[1] * _K1, x + w[0])
        w = _weak_hash_len_32(data, place + 32, z + w[1], y + _fetch(data, place + 16))
        z, x = x, z
    return _last_64(data, length - 64, (length - 1) & 63, (x, y, z), v, w)


def _last_64(
    data: bytes, place: int, rest: int, state: tuple[int, int, int], v: tuple[int, int], w: tuple[int, int]
) -> int:
    """The last 64 bytes, which overlap those that the loop has seen; `rest` is how many of them are new, less one."""
    x, y, z = state
    mul = _K1 + ((z & 0xFF) << 1) & _MASK
    w = (w[0] + rest & _MASK, w[1])
    v = (v[0] + w[0] & _MASK, v[1])
    w = (w[0] + v[0] & _MASK, w[1])
    x = _rotate(x + y + v[0] + _fetch(data, place + 8), 37) * mul & _MASK
    y = _rotate(y + v[1] + _fetch(data, place + 48), 42) * mul & _MASK
    x ^= w[1] * 9 & _MASK
    y = y + v[0] * 9 + _fetch(data, place + 40) & _MASK
    z = _rotate(z + w[0], 33) * mul & _MASK
    v = _weak_hash_len_32(data, place, v[1] * mul, x + w[0])
    w = _weak_hash_len_32(data, place + 32, z + w[1], y + _fetch(data, place + 16))
    z, x = x, z
    left = _hash_len_16(v[0], w[0], mul) + _shift_mix(y) * _K0 + z
    return _hash_len_16(left & _MASK, _hash_len_16(v[1], w[1], mul) + x & _MASK, mul)
