const sequenceParameterSet = 7;
const pictureParameterSet = 8;

/** The NAL units of an access unit in Annex B (ITU-T H.264): each behind a start code of three bytes or four. */
export function nalUnits(unit: Buffer): Buffer[] {
  const starts: { code: number; payload: number }[] = [];
  for (let at = unit.indexOf('000001', 0, 'hex'); at !== -1; at = unit.indexOf('000001', at + 3, 'hex'))
    starts.push({ code: at > 0 && unit[at - 1] === 0 ? at - 1 : at, payload: at + 3 });
  return starts.map(({ payload }, index) => unit.subarray(payload, starts[index + 1]?.code ?? unit.length));
}

/** A keyframe's parameter sets, in Annex B: what a decoder must know before the first picture. Empty where it has none. */
export function parameterSetsOf(keyframe: Buffer): Buffer {
  const startCode = Buffer.from([0, 0, 0, 1]);
  const sets = nalUnits(keyframe).filter((nal) => {
    const type = (nal[0] ?? 0) & 0x1f;
    return type === sequenceParameterSet || type === pictureParameterSet;
  });
  return Buffer.concat(sets.flatMap((nal) => [startCode, nal]));
}
