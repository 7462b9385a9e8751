/** The picture of a video that has none: drawn from its id, always the same for the same id. Pure. */

export interface CoverDrawing {
  /** 0 to 5: which pair of colours the stylesheet gives it. */
  readonly palette: number;
  /** Circles of the film leader, in a 160 × 90 frame. */
  readonly centre: Point;
  readonly radii: readonly number[];
  /** Degrees: where the sweep starts, and how wide it is. */
  readonly from: number;
  readonly sweep: number;
  /** Nodes on the circles and the lines between them. */
  readonly nodes: readonly (readonly [x: number, y: number, size: number])[];
  readonly lines: readonly (readonly [from: number, to: number])[];
}

/** How many pairs of colours there are in cards.css. */
export const COVER_PALETTES = 6;

/** `id` is 40 hexadecimal digits; any other text works too. */
export function drawCover(id: string): CoverDrawing {
  const next = digits(id);
  const palette = next(COVER_PALETTES);
  const centre = [36 + next(88), 24 + next(42)] as const;
  const radii = [16 + next(8), 34 + next(12), 58 + next(16)];
  const nodes = Array.from({ length: 4 + next(3) }, (_, index) => {
    const radius = radii[index % radii.length] as number;
    let point = pointOn(centre, radius, next(360));
    for (let tries = 0; tries < 12 && !isInFrame(point); tries++) point = pointOn(centre, radius, next(360));
    return [...point, 1.6 + next(3) * 0.9] as const;
  });
  return {
    palette,
    centre,
    radii,
    from: next(360),
    sweep: 40 + next(170),
    nodes,
    lines: nodes.slice(1).map((_, index) => [index, index + 1] as const),
  };
}

/** The path of a sector of a circle; angles in degrees, clockwise from the right. */
export function sectorPath(centre: Point, radius: number, angles: { readonly from: number; readonly sweep: number }): string {
  const start = pointOn(centre, radius, angles.from).join(' ');
  const end = pointOn(centre, radius, angles.from + angles.sweep).join(' ');
  return `M${centre.join(' ')}L${start}A${radius} ${radius} 0 ${angles.sweep > 180 ? 1 : 0} 1 ${end}Z`;
}

type Point = readonly [x: number, y: number];

function pointOn([x, y]: Point, radius: number, degrees: number): Point {
  const angle = (degrees * Math.PI) / 180;
  return [round(x + radius * Math.cos(angle)), round(y + radius * Math.sin(angle))];
}

/** With room for the node itself, and clear of the duration in the corner. */
function isInFrame([x, y]: Point): boolean {
  return x > 8 && x < 152 && y > 8 && y < 82 && !(x > 118 && y > 68);
}

/** Whole numbers in [0, below), one after the other, from the text (FNV-1a, then a xorshift). */
function digits(text: string): (below: number) => number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  state ||= 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
