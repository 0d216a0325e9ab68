/** NAL unit type of a sequence parameter set (H.264, table 7-1). */
const sequenceParameterSet = 7;

/**
 * The codec string of an H.264 stream (RFC 6381: `avc1.` and profile, constraints and level in hex), from the SPS in one of its
 * keyframes. Null when there is no SPS in it.
 *
 * @param accessUnit Annex B: NAL units behind start codes
 */
export function codecString(accessUnit: Uint8Array): string | null {
  for (let at = 0; at + 6 < accessUnit.length; at += 1) {
    const isStart = accessUnit[at] === 0 && accessUnit[at + 1] === 0 && accessUnit[at + 2] === 1;
    if (!isStart || ((accessUnit[at + 3] ?? 0) & 0x1f) !== sequenceParameterSet) continue;
    const profile = accessUnit.subarray(at + 4, at + 7);
    return `avc1.${[...profile].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  }
  return null;
}
