// Answers of the API that come late, each by another time: what hides on a quick machine shows.

/// How late at most: on the way there, and on the way back.
const LATE_MILLISECONDS_MAX = 300;
/// How late news begin to come at most: what happens before that, the page is not told.
const NEWS_LATE_MILLISECONDS_MAX = 2_000;

let pages = 0;

/// Each request of the page goes out late and its answer comes in late, so that they overtake each other. The `seed`
/// decides by how much; the page is known by its number among those of a file.
export async function answersComeLate(page, seed) {
    pages += 1;
    console.log(`# answers come late by seed ${seed}, page ${pages}`);
    const number = (Number(seed) + 1) * 7_919 + pages * 104_729;
    await page.addInitScript(([from, most]) => {
        let state = from >>> 0;
        // Marsaglia's xorshift, 32 bits: the same seed is late by the same times.
        const late = () => new Promise(resume => {
            state ^= state << 13;
            state ^= state >>> 17;
            state ^= state << 5;
            setTimeout(resume, (state >>> 0) % most);
        });
        const { fetch } = window;
        window.fetch = async (...asked) => {
            await late();
            // What was not answered at all is told late, too.
            const answer = await fetch(...asked).catch(error => ({ error }));
            await late();
            if (answer.error) throw answer.error;
            return answer;
        };
    }, [number, LATE_MILLISECONDS_MAX]);
    await page.route(/\/events$/, async route => {
        await new Promise(resume => { setTimeout(resume, number % NEWS_LATE_MILLISECONDS_MAX); });
        await route.continue();
    });
}
