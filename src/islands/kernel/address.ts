/**
 * What is shown of a kernel, in the address: `#symbol=asm_exc_nmi&features=pti,smap&build=764949bbe8b7`. Without `features` the
 * text is as it was linked; `none` is a processor without any. The build is the beginning of a build id.
 */
import { featureNames } from '../../image/vmlinux/listing.ts';

export interface Place {
  readonly symbol: string;
  readonly features: readonly string[] | undefined;
  /** Of the kernel that the address was made for. */
  readonly build: string | undefined;
}

const DIGITS = 12;
/** So much of a build id tells two kernels apart. */
export const buildOf = (buildId: string | undefined): string | undefined => buildId?.slice(0, DIGITS);

/** The fragment, without `#`. */
export function fragmentOf({ symbol, features, build }: Place): string {
  const parts = [
    ['symbol', symbol],
    ...(features ? [['features', features.join(',') || 'none']] : []),
    ...(build ? [['build', build]] : []),
  ];
  // A comma and a star may stand as they are.
  return parts
    .map(([key, value = '']) => `${key}=${encodeURIComponent(value).replaceAll('%2C', ',')}`)
    .join('&');
}

/** The place that a fragment names; undefined of another fragment, such as a heading's. */
export function readFragment(fragment: string): Place | undefined {
  const said = new URLSearchParams(fragment.replace(/^#/, ''));
  const symbol = said.get('symbol');
  if (!symbol) return undefined;
  const features = said.get('features');
  const build = said.get('build');
  return {
    symbol,
    features: features === null ? undefined : featureNames(features),
    build: build !== null && /^[\da-f]+$/.test(build) ? build : undefined,
  };
}
