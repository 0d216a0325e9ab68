import type { Frame, HardwareFramesContext } from 'node-av/lib';
import type { ScreenSize } from '../x11/screen.ts';
import { AvError } from './av-error.ts';
import type { NodeAv } from './node-av.ts';

/** The first GPU that can render without a screen. */
export const renderNode = '/dev/dri/renderD128';

/** Pictures in the memory of a GPU: VA-API encodes no others. */
export interface HardwareFrames {
  readonly context: HardwareFramesContext;
  /** A copy of the picture there; good until the next one. */
  upload(picture: Frame): Promise<Frame>;
  close(): void;
}

/** @throws AvError when there is no such GPU, or its driver refuses */
export function createHardwareFrames(av: NodeAv, size: ScreenSize): HardwareFrames {
  const device = new av.HardwareDeviceContext();
  const context = new av.HardwareFramesContext();
  const frame = new av.Frame();
  const release = () => {
    frame.free();
    context.free();
    device.free();
  };
  try {
    AvError.check(device.create(av.AV_HWDEVICE_TYPE_VAAPI, renderNode, null), `opening ${renderNode}`);
    context.alloc(device);
    context.format = av.AV_PIX_FMT_VAAPI;
    context.swFormat = av.AV_PIX_FMT_NV12;
    context.width = size.width;
    context.height = size.height;
    context.initialPoolSize = 4;
    AvError.check(context.init(), 'allocating pictures on the GPU');
    frame.alloc();
  } catch (error) {
    release();
    throw error;
  }
  return {
    context,
    async upload(picture) {
      frame.unref();
      AvError.check(context.getBuffer(frame, 0), 'taking a picture on the GPU');
      AvError.check(await frame.hwframeTransferData(picture), 'copying a picture to the GPU');
      return frame;
    },
    close: release,
  };
}
