/** Functions of the module that handlers call, each staged when it is asked for first. */
import binaryen from 'binaryen';
import { offsetOf } from '../../../layout.ts';
import { Locals } from './locals.ts';
import type { Stage } from './stage.ts';
import type { Code, Exits, Value } from './words.ts';

const { i32, i64, none } = binaryen;
type Body = (m: Stage, ...parameters: readonly Value[]) => Value | undefined;

export class Functions {
  readonly w: binaryen.Module;
  private readonly made = new Set<string>();
  private readonly create: (functions: Functions, locals: Locals, exits: Exits) => Stage;

  /** @param create makes a stage; passed in because a stage asks for functions in its turn */
  constructor(w: binaryen.Module, create: (functions: Functions, locals: Locals, exits: Exits) => Stage) {
    this.w = w;
    this.create = create;
  }
  stage(locals: Locals, exits: Exits): Stage {
    return this.create(this, locals, exits);
  }

  /**
   * Call a staged function of 64-bit parameters; `body` says what it does, and is asked only once a name.
   * A raise in it is told through the global `raised`.
   */
  call(name: string, returns: boolean, parameters: readonly Code[], body: Body): Code {
    if (!this.made.has(name)) {
      this.made.add(name);
      this.define(name, parameters.length, returns, body);
    }
    return this.w.call(name, [...parameters], returns ? i64 : none);
  }
  private define(name: string, parameters: number, returns: boolean, body: Body): void {
    const { w } = this;
    const locals = new Locals(parameters);
    const leave = (): Code[] => [
      w.global.set('raised', w.i32.const(1)),
      w.return(returns ? w.i64.const(0n) : undefined),
    ];
    const jump = (to: Code): Code[] => [w.i64.store(offsetOf.rip, 8, w.i32.const(0), to)];
    const stage = this.stage(locals, { raised: leave, jump });
    const values = Array.from({ length: parameters }, (_, local): Value => ({ local, type: i64 }));
    const code = stage.captureForVendors(() => {
      const result = body(stage, ...values);
      if (result !== undefined) stage.emit(w.return(stage.wide(result)));
    });
    const result = returns ? i64 : none;
    const type = binaryen.createType(values.map(() => i64));
    const end = returns ? [w.unreachable()] : [];
    w.addFunction(name, type, result, locals.types, w.block(null, [...code, ...end], result));
  }
  /** A function written by hand. */
  add(
    name: string,
    parameters: binaryen.Type[],
    result: binaryen.Type,
    locals: binaryen.Type[],
    body: Code[],
  ): void {
    const type = binaryen.createType(parameters);
    this.w.addFunction(name, type, result, locals, this.w.block(null, body, result));
  }
  /** Words of linear memory at fixed places. */
  word32(at: number): Code {
    return this.w.i32.load(at, 4, this.w.i32.const(0));
  }
  word64(at: number): Code {
    return this.w.i64.load(at, 8, this.w.i32.const(0));
  }
  setWord32(at: number, value: Code): Code {
    return this.w.i32.store(at, 4, this.w.i32.const(0), value);
  }
  setWord64(at: number, value: Code): Code {
    return this.w.i64.store(at, 8, this.w.i32.const(0), value);
  }
  local(n: number, type: binaryen.Type = i32): Code {
    return this.w.local.get(n, type);
  }
}
