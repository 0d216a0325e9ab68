/**
 * What we use of npm `x11` 4.2.2, which has no types. The shapes were read off its lib/; a request that is not here works, too, once it
 * has been written down. Two of its habits: an answer's callback that does not return true has its error emitted as `error`, too; and
 * a request without an answer takes a callback as its last argument in the core protocol only, not in an extension.
 */
declare module 'x11' {
  import type { EventEmitter } from 'node:events';
  import type { Duplex } from 'node:stream';

  namespace x11 {
    /** An error of the X server. `error`: its code (core: 1 BadRequest … 17 BadImplementation, above that an extension's). */
    interface XError extends Error {
      error: number;
      seq: number;
      badParam: number;
      minorOpcode: number;
      majorOpcode: number;
    }

    /** Gets the answer, or the error: a true return says that the error has been seen to. */
    type Reply<T> = (error: XError | null | undefined, value: T) => boolean;

    interface Screen {
      root: number;
      pixel_width: number;
      pixel_height: number;
      root_depth: number;
      root_visual: number;
    }

    interface Display {
      client: Client;
      screen: Screen[];
      min_keycode: number;
      max_keycode: number;
      /** In units of four bytes. */
      max_request_length: number;
    }

    /** `extents`: the smallest rectangle around all of it. */
    interface Region {
      extents: Rectangle;
      rectangles: Rectangle[];
    }

    interface Rectangle {
      x: number;
      y: number;
      width: number;
      height: number;
    }

    interface Property {
      /** An atom; 0: there is no such property. */
      type: number;
      format: number;
      bytesAfter: number;
      data: Buffer;
    }

    interface WindowValues {
      overrideRedirect?: number;
      backgroundPixel?: number;
      eventMask?: number;
    }

    type KeyOrButtonEvent = {
      name: 'KeyPress' | 'KeyRelease' | 'ButtonPress' | 'ButtonRelease' | 'MotionNotify';
      /** Of a button event: the button. */
      keycode: number;
      rootx: number;
      rooty: number;
      x: number;
      y: number;
      wid: number;
      /** The modifiers and buttons that were down. */
      buttons: number;
    };

    type Event =
      | KeyOrButtonEvent
      | { name: 'DamageNotify'; damage: number; area: { x: number; y: number; w: number; h: number } }
      | { name: 'MappingNotify'; request: number; firstKeyCode: number; count: number }
      | { name: 'PropertyNotify'; wid: number; atom: number; time: number; state: number }
      | { name: 'SelectionClear'; time: number; owner: number; selection: number }
      | {
          name: 'SelectionRequest';
          time: number;
          owner: number;
          requestor: number;
          selection: number;
          target: number;
          property: number;
        }
      /** Core: the answer to ConvertSelection; `property` 0: it cannot be had. */
      | {
          name: 'SelectionNotify';
          time: number;
          requestor: number;
          selection: number;
          target: number;
          property: number;
          subtype?: undefined;
        }
      /** XFixes: the selection has another owner. It has the core event's name; `subtype` tells them apart. */
      | {
          name: 'SelectionNotify';
          subtype: number;
          owner: number;
          selection: number;
          timestamp: number;
          selectionTimestamp: number;
        }
      | { name: 'ClientMessage'; wid: number; message_type: number; format: number; data: number[] }
      /** The pointing device was moved, wherever the pointer is. */
      | { name: 'XIRawMotion' }
      | { name: 'CursorNotify'; cursorSerial: number }
      | { name: 'RRScreenChangeNotify'; root: number; width: number; height: number }
      | { name: 'ConfigureNotify'; wid: number; width: number; height: number }
      | { name: 'Expose'; wid: number }
      | { name: 'DestroyNotify'; wid: number };

    interface Client extends EventEmitter {
      /** Of the last request: how many there have been. */
      seq_num: number;
      display: Display;
      /** Numbers of names that were asked for: one object for all clients of the process, whatever server they talk to. */
      atoms: Record<string, number>;
      AllocID(): number;
      ReleaseID(id: number): void;
      require<N extends keyof Extensions>(
        name: N,
        done: (error: Error | null | undefined, extension: Extensions[N]) => void,
      ): void;
      /** Writes what is buffered and ends the socket. */
      terminate(): void;
      InternAtom(onlyIfExists: boolean, name: string, reply: Reply<number>): void;
      GetInputFocus(reply: Reply<{ focus: number; revertTo: number }>): void;
      SetInputFocus(window: number, revertTo: number, reply?: Reply<void>): void;
      QueryPointer(
        window: number,
        reply: Reply<{ rootX: number; rootY: number; child: number; keyMask: number }>,
      ): void;
      /** 32 bytes: bit n is keycode n. */
      QueryKeymap(reply: Reply<Buffer>): void;
      QueryTree(window: number, reply: Reply<{ root: number; parent: number; children: number[] }>): void;
      GetGeometry(drawable: number, reply: Reply<{ width: number; height: number; depth: number }>): void;
      GetImage(
        format: number,
        drawable: number,
        x: number,
        y: number,
        width: number,
        height: number,
        planeMask: number,
        reply: Reply<{ depth: number; data: Buffer }>,
      ): void;
      /** One row of keysyms a keycode. */
      GetKeyboardMapping(first: number, count: number, reply: Reply<number[][]>): void;
      ChangeKeyboardMapping(
        first: number,
        keysymsPerKeycode: number,
        keysyms: readonly number[],
        reply?: Reply<void>,
      ): void;
      ChangeKeyboardControl(values: { autoRepeatMode?: number }, reply?: Reply<void>): void;
      /** Eight rows: Shift, Lock, Control, Mod1 to Mod5. A 0 is no keycode. */
      GetModifierMapping(reply: Reply<number[][]>): void;
      CreateWindow(
        id: number,
        parent: number,
        x: number,
        y: number,
        width: number,
        height: number,
        border: number,
        depth: number,
        kind: number,
        visual: number,
        values: WindowValues,
        reply?: Reply<void>,
      ): void;
      ChangeWindowAttributes(window: number, values: WindowValues, reply?: Reply<void>): void;
      MapWindow(window: number, reply?: Reply<void>): void;
      DestroyWindow(window: number, reply?: Reply<void>): void;
      /** `mode` 0: in place of what is there. An array is written as `format` says, a string as Latin-1. */
      ChangeProperty(
        mode: number,
        window: number,
        property: number,
        type: number,
        format: 8 | 16 | 32,
        data: Buffer | readonly number[],
        reply?: Reply<void>,
      ): void;
      DeleteProperty(window: number, property: number, reply?: Reply<void>): void;
      /** Offset and length in units of four bytes. */
      GetProperty(
        remove: number,
        window: number,
        property: number,
        type: number,
        offset: number,
        length: number,
        reply: Reply<Property>,
      ): void;
      SetSelectionOwner(owner: number, selection: number, time: number, reply?: Reply<void>): void;
      GetSelectionOwner(selection: number, reply: Reply<number>): void;
      ConvertSelection(
        requestor: number,
        selection: number,
        target: number,
        property: number,
        time: number,
        reply?: Reply<void>,
      ): void;
      SendEvent(destination: number, propagate: number, eventMask: number, event: object, reply?: Reply<void>): void;
      CreateGC(id: number, drawable: number, values: { foreground?: number }, reply?: Reply<void>): void;
      ChangeGC(id: number, values: { foreground?: number }, reply?: Reply<void>): void;
      /** Flat: x, y, width, height of each. */
      PolyFillRectangle(drawable: number, gc: number, rectangles: readonly number[], reply?: Reply<void>): void;
    }

    interface Damage {
      ReportLevel: { RawRectangles: 0; DeltaRectangles: 1; BoundingBox: 2; NonEmpty: 3 };
      Create(damage: number, drawable: number, level: number): void;
      /** `parts`: the region that gets what was damaged; 0 for none. */
      Subtract(damage: number, repair: number, parts: number): void;
      Destroy(damage: number): void;
    }

    interface CursorImage {
      x: number;
      y: number;
      width: number;
      height: number;
      xhot: number;
      yhot: number;
      cursorSerial: number;
      /** 32 bits a pixel, as little-endian ARGB (bytes B, G, R, A), the colours multiplied by alpha. */
      cursorImage: Buffer;
    }

    interface Fixes {
      SelectionEventMask: { SetSelectionOwner: 1; SelectionWindowDestroy: 2; SelectionClientClose: 4 };
      CursorNotifyMask: { DisplayCursor: 1 };
      SelectSelectionInput(window: number, selection: number, mask: number): void;
      SelectCursorInput(window: number, mask: number): void;
      GetCursorImage(reply: Reply<CursorImage>): void;
      CreateRegion(region: number, rectangles: readonly Rectangle[]): void;
      DestroyRegion(region: number): void;
      FetchRegion(region: number, reply: Reply<Region>): void;
    }

    interface Shm {
      ImageFormat: { XYBitmap: 0; XYPixmap: 1; ZPixmap: 2 };
      /** The descriptor stays the caller's: a copy of it is sent. Throws where the connection cannot pass any. */
      AttachFd(segment: number, descriptor: number, readOnly: boolean, reply: Reply<void>): void;
      Detach(segment: number, reply?: Reply<void>): void;
      /** The picture is written into the segment at `offset`, before the answer comes. */
      GetImage(
        drawable: number,
        x: number,
        y: number,
        width: number,
        height: number,
        planeMask: number,
        format: number,
        segment: number,
        offset: number,
        reply: Reply<{ depth: number; visual: number; size: number }>,
      ): void;
    }

    interface XTest {
      KeyPress: 2;
      KeyRelease: 3;
      ButtonPress: 4;
      ButtonRelease: 5;
      MotionNotify: 6;
      /** `detail`: a keycode, a button, or of a motion 0 for absolute and 1 for relative. `delay` in milliseconds. */
      FakeInput(type: number, detail: number, delay: number, root: number, x: number, y: number): void;
    }

    interface XInput {
      AllMasterDevices: number;
      /** In place of what was selected for the device on this window; an empty list ends it. */
      XISelectEvents(window: number, select: { deviceId: number; mask: readonly 'RawMotion'[] }): void;
    }

    interface RandrMode {
      id: number;
      width: number;
      height: number;
      name: string;
    }

    interface ScreenResources {
      timestamp: number;
      config_timestamp: number;
      crtcs: number[];
      outputs: number[];
      modeinfos: RandrMode[];
    }

    interface Randr {
      NotifyMask: { ScreenChange: 1 };
      ConfigStatus: { Success: 0 };
      Rotation: { Rotate_0: 1 };
      SelectInput(window: number, mask: number): void;
      GetScreenResources(window: number, reply: Reply<ScreenResources>): void;
      GetScreenSizeRange(
        window: number,
        reply: Reply<{ minWidth: number; minHeight: number; maxWidth: number; maxHeight: number }>,
      ): void;
      SetScreenSize(window: number, width: number, height: number, mmWidth: number, mmHeight: number): void;
      /** Answers the new mode's id. */
      CreateMode(
        window: number,
        mode: {
          width: number;
          height: number;
          dot_clock?: number;
          h_sync_start?: number;
          h_sync_end?: number;
          h_total?: number;
          v_sync_start?: number;
          v_sync_end?: number;
          v_total?: number;
          name: string;
        },
        reply: Reply<number>,
      ): void;
      DestroyMode(mode: number): void;
      AddOutputMode(output: number, mode: number): void;
      DeleteOutputMode(output: number, mode: number): void;
      SetCrtcConfig(
        crtc: number,
        timestamp: number,
        configTimestamp: number,
        x: number,
        y: number,
        mode: number,
        rotation: number,
        outputs: readonly number[],
        reply: Reply<{ status: number; timestamp: number }>,
      ): void;
    }

    interface Extensions {
      damage: Damage;
      fixes: Fixes;
      shm: Shm;
      xtest: XTest;
      randr: Randr;
      xinput: XInput;
    }

    interface ClientOptions {
      display?: string;
      stream: Duplex;
      auth: { name: string; data: string };
      bufferRequests?: boolean;
    }

    function createClient(options: ClientOptions, done: (error: Error | undefined, display: Display) => void): Client;

    /** By name, with `XK_` before it. A description is the comment of keysymdef.h. */
    const keySyms: Record<string, { code: number; description: string | null }>;

    const eventMask: {
      KeyPress: number;
      KeyRelease: number;
      ButtonPress: number;
      ButtonRelease: number;
      PointerMotion: number;
      StructureNotify: number;
      SubstructureNotify: number;
      Exposure: number;
      PropertyChange: number;
    };
  }

  export = x11;
}

declare module 'x11/lib/fdpass.js' {
  import type { Socket } from 'node:net';

  /** A socket that can pass file descriptors; null where Node does not let it. It emits `connect` or `error` like any other. */
  export function connect(socketPath: string): Socket | null;
}
