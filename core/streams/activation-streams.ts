/** How the id of every activation Stream begins (dispatch/steps.ts makes it of the Worker's id). */
export const activationStreamPrefix = 's-activation-';
