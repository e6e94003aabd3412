/* What the modules of the pages compute, for test_modules.py. */
async ([code, argument]) => {
    const drawing = await import("/static/drawing.js");
    const network = await import("/static/network.js");
    const adversary = await import("/static/adversary.js");
    const words = await import("/static/words.js");
    const { percent } = await import("/static/numbers.js");
    const { clipped } = await import("/static/pen.js");
    const steps = {
        roundTrip(acts) {
            const before = Object.assign(new drawing.Drawing(), { acts });
            const text = drawing.encode(before);
            return [text, drawing.decode(text)];
        },
        strokes(acts) {
            const found = drawing.toStrokes(acts);
            return found && drawing.fromStrokes(found.strokes, found.pen);
        },
        read(text) {
            try {
                return drawing.decode(text).length;
            } catch (error) {
                return error instanceof Error ? -1 : null;
            }
        },
        async difference([version, outcomes, digit, other]) {
            const layers = await network.fetchLayers(version);
            const found = network.difference(layers, outcomes, digit, other);
            return [Array.from(found.weights), found.bias];
        },
        async forward([version, pixels]) {
            const layers = await network.fetchLayers(version);
            return Array.from(network.forward(layers, pixels).at(-1).activations);
        },
        async fewest([version, frame]) {
            return adversary.fewest(await network.fetchLayers(version), frame);
        },
        said: ([prediction, pieces]) => [
            words.verdict(prediction), words.remark(prediction, pieces),
        ].map(text => text.replaceAll("\u00a0", " ")),
        percent: share => percent(share).replace("\u00a0", " "),
        clipped: ([from, to]) => clipped(from, to),
        async weights([version, pixels, depth, unit]) {
            const layers = await network.fetchLayers(version);
            const outcomes = network.forward(layers, pixels);
            return [
                outcomes.map(({ sums }) => Array.from(sums)),
                Array.from(network.pixelWeights(layers, outcomes, depth, unit)),
            ];
        },
    };
    return steps[code](argument);
}
