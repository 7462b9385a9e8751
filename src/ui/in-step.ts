/** The state of one step, or undefined in any other: what a `Match` narrows by. */
export function inStep<State extends { readonly step: string }, Step extends State['step']>(
  state: State,
  step: Step,
): Extract<State, { readonly step: Step }> | undefined {
  return isIn(state, step) ? state : undefined;
}

function isIn<State extends { readonly step: string }, Step extends State['step']>(
  state: State,
  step: Step,
): state is Extract<State, { readonly step: Step }> {
  return state.step === step;
}
