import { describe, expect, it } from 'vitest';
import { pixelAt } from '../../sandbox/input/scale.ts';
import { Viewport } from './viewport.ts';

/** A wide desktop on an upright phone. */
function phone(): Viewport {
  const viewport = new Viewport();
  viewport.setStage(390, 700);
  viewport.setStream(1920, 1080);
  return viewport;
}

describe('where the picture lies', () => {
  it('fits and centres it', () => {
    const { scale, x, y } = phone().placement;
    expect(scale).toBeCloseTo(390 / 1920);
    expect(x).toBeCloseTo(0);
    expect(y).toBeCloseTo((700 - 1080 * (390 / 1920)) / 2);
  });

  it('keeps the point under the fingers where it is when it is enlarged', () => {
    const viewport = phone();
    viewport.zoomBy(4, { x: 195, y: 350 });
    const point = { x: 120, y: 380 };
    const before = viewport.toStream(point);
    viewport.zoomBy(1.5, point);
    expect(viewport.toStream(point).x).toBeCloseTo(before.x);
    expect(viewport.toStream(point).y).toBeCloseTo(before.y);
  });

  it('leaves no gap at an edge, however far it is moved', () => {
    const viewport = phone();
    viewport.zoomBy(6, { x: 195, y: 350 });
    viewport.panBy(10_000, 10_000);
    expect(viewport.toStream({ x: 0, y: 0 })).toEqual({ x: 0, y: 0 });
    viewport.panBy(-10_000, -10_000);
    expect(viewport.toStream({ x: 390, y: 700 }).x).toBeCloseTo(1920);
    expect(viewport.toStream({ x: 390, y: 700 }).y).toBeCloseTo(1080);
  });

  it('is never smaller than what fits, nor more than eight times as large', () => {
    const viewport = phone();
    viewport.zoomBy(0.1, { x: 0, y: 0 });
    expect(viewport.zoom).toBe(1);
    viewport.zoomBy(100, { x: 0, y: 0 });
    expect(viewport.zoom).toBe(8);
  });

  it('fits again when the desktop gets another size', () => {
    const viewport = phone();
    viewport.zoomBy(4, { x: 195, y: 350 });
    viewport.setStream(720, 1280);
    expect(viewport.zoom).toBe(1);
  });
});

describe('where a tap is on the wire', () => {
  it('is counted by the size of the stream, whatever the size of the page', () => {
    const viewport = phone();
    const { y } = viewport.placement;
    const height = 1080 * (390 / 1920);
    const wire = viewport.toWire({ x: 195.1, y: y + height / 4 + 0.1 });
    expect([pixelAt(wire?.x ?? 0, 1920), pixelAt(wire?.y ?? 0, 1080)]).toEqual([960, 270]);
  });

  it('is the pixel that was touched, the first and the last one too', () => {
    const viewport = new Viewport();
    viewport.setStage(200, 100);
    viewport.setStream(20, 10);
    for (const pixel of [0, 1, 10, 19]) {
      const wire = viewport.toWire({ x: pixel * 10 + 5, y: 50 });
      expect(pixelAt(wire?.x ?? -1, 20)).toBe(pixel);
    }
  });

  it('is the edge just beside the picture, and nowhere far from it', () => {
    const viewport = phone();
    const { y } = viewport.placement;
    expect(viewport.toWire({ x: 195, y: y - 10 })?.y).toBe(0);
    expect(viewport.toWire({ x: 195, y: y - 100 })).toBeNull();
    expect(viewport.toWire({ x: 195, y: y - 100 }, Number.POSITIVE_INFINITY)?.y).toBe(0);
  });
});
