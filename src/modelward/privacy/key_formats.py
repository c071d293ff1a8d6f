"""Formats of API keys and tokens, by who gives them out. Tails are open, so that no rest of a longer key is left."""

from __future__ import annotations

KEY_FORMATS = (
    # Clouds and hosting
    r"(?:AKIA|ASIA|ABIA|ACCA|AIDA|AROA|AGPA|ANPA|ANVA|APKA|A3T[A-Z0-9])[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS
    r"amzn\.(?:mws|application-oa2-client|oa2-cs)\.[\w.-]{20,}",
    r"AIza[\w-]{35}",  # Google
    r"(?:GOCSPX-[\w-]{24,}|ya29\.[\w-]{20,}|1//0[\w-]{28,})",
    r"LTAI[A-Za-z0-9]{16,}",  # Alibaba
    r"AKID[A-Za-z0-9]{32}",  # Tencent
    r"[\w.~-]{3}[0-9]Q~[\w.~-]{31,}",  # Microsoft Entra
    r"do[opr]_v1_[0-9a-f]{64}",  # DigitalOcean
    r"v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}",  # Cloudflare
    r"(?:fo1_[\w-]{40,}|fm[12][ar]?_[A-Za-z0-9+/=_-]{40,})",  # Fly
    r"(?:HRKU-[\w-]{36,}|dckr_(?:pat|oat)_[\w-]{20,})",  # Heroku, Docker
    r"(?:vercel_blob_rw_\w{10,}|vc[piakr]_[A-Za-z0-9]{24,}|nf[pcoub]_[A-Za-z0-9]{30,})",  # Vercel, Netlify
    r"(?:sbp_[0-9a-f]{32,}|sb_secret_[\w-]{20,}|rnd_[A-Za-z0-9]{20,}|railway_[\w-]{20,})",  # Supabase, Render
    r"(?:pscale_(?:tkn|pw|oauth)_[\w.=-]{30,}|4b1d[A-Za-z0-9]{38})",  # PlanetScale, ClickHouse
    r"(?:AQVN[\w-]{30,}|t1\.[A-Z0-9a-z_-]+={0,2}\.[A-Za-z0-9_-]{80,}|YC[A-Za-z0-9_-]{38})",  # Yandex
    # Code and packages
    r"gh[pousr]_[A-Za-z0-9]{30,}",  # GitHub
    r"github_pat_\w{22,}",
    r"gl(?:pat|ptt|dt|rt|rtr|cbt|agent|soat|ft|imt|ffct|oas|wt)-[\w.-]{20,}",  # GitLab
    r"(?:ATATT3|ATCTT3|ATBB|BBDC-)[\w=-]{20,}",  # Atlassian
    r"(?:npm_[A-Za-z0-9]{36,}|pypi-[\w-]{50,}|rubygems_[0-9a-f]{48}|oy2[a-z0-9]{43}|CLOJARS_[a-z0-9]{60})",
    r"(?:AKCp[A-Za-z0-9]{60,}|cmVmd[A-Za-z0-9]{55,}|CCIPAT_\w{20,}|bk(?:ua|ct|pt)_[0-9a-f]{40}|cio[A-Za-z0-9]{32})",
    r"(?:sgp_[\w]{40,}|sq[upa]_[0-9a-f]{40}|sntry[su]_[A-Za-z0-9+/=_]{40,}|dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64})",
    r"(?:hv[sbr]\.[\w-]{24,}|[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,}|pul-[0-9a-f]{40}|dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{36,})",
    r"(?:ops_eyJ[A-Za-z0-9+/=_-]{30,}|A3-[A-Z0-9]{6}-[A-Z0-9]{6,11}(?:-[A-Z0-9]{5}){3,4}|SWMTKN-1-[\w-]{40,})",
    r"(?:tskey-[a-z]+-[\w-]{16,}|sha256~[\w-]{43}|AGE-SECRET-KEY-1[0-9A-Z]{58}|pnu_[A-Za-z0-9]{36}|jf(?:rt|rog)_[\w]{20,})",
    # Models and data
    r"sk-[A-Za-z0-9_-]{20,}",  # OpenAI, Anthropic, OpenRouter, DeepSeek
    r"(?:gsk|r8|pplx|xai|tgp_v1|nvapi|csk|fw|rpa|lsv2_[ps][tk]|pcsk|tvly|jina|esecret|together|cohere|mistral)[_-][\w-]{20,}",
    r"(?:hf|api_org)_[A-Za-z0-9]{30,}",  # Hugging Face
    r"dapi[0-9a-f]{32}(?:-[0-9])?",  # Databricks
    r"(?:ph[cx]_[A-Za-z0-9]{32,}|pk-lf-[0-9a-f-]{36}|wandb_v[0-9]_\w{30,}|ddp_[A-Za-z0-9]{30,}|dd(?:app|pat)_[\w-]{20,})",
    r"gl(?:sa|c)_[A-Za-z0-9+/=_]{32,}",  # Grafana
    r"(?:eyJrIjoi[A-Za-z0-9]{30,}|NR(?:AK|RA|JS|II|AA)-[\w-]{19,}|PMAK-[0-9a-f]{24}-[0-9a-f]{34})",
    # Money
    r"(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9_]{10,}",  # Stripe, Clerk
    r"whsec_[A-Za-z0-9+/=]{24,}",
    r"(?:sq0(?:atp|csp|idp)-[\w-]{20,}|EAAA[lE]?[\w+/-]{50,})",  # Square
    r"EAA[A-Za-z][A-Za-z0-9]{30,}",  # Facebook
    r"rzp_(?:live|test)_[A-Za-z0-9]{14,}",  # Razorpay
    r"(?:access|public|link)-(?:sandbox|production|development)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",  # Plaid
    r"(?:FLWSECK(?:_TEST)?-[\w-]{12,}|FLWPUBK(?:_TEST)?-[\w-]{12,}|access_token\$(?:production|sandbox)\$\w{16}\$[0-9a-f]{32})",
    r"(?:shippo_(?:live|test)_[0-9a-f]{40}|EZ[AT]K[A-Za-z0-9]{40,}|duffel_(?:test|live)_[\w=-]{30,}|lob_\w{30,}|v\^1\.1#[\w#^+/=-]{60,})",
    # Work and messages
    r"xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}",  # Slack
    r"(?:xapp-[0-9]-[A-Za-z0-9-]{10,}|https://hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[\w/+-]{30,})",
    r"https://[a-z0-9.-]+\.webhook\.office\.com/webhookb2/[\w@/.-]{60,}",
    r"https://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/[0-9]{15,}/[\w-]{40,}",
    r"[MNO][A-Za-z0-9_-]{23,27}\.[\w-]{6}\.[\w-]{27,}",  # Discord
    r"[0-9]{8,10}:A[A-Za-z][\w-]{33}",  # Telegram
    r"(?:SK|AC)[0-9a-f]{32}(?![0-9a-f])",  # Twilio
    r"SG\.[\w-]{16,32}\.[\w-]{32,}",  # SendGrid
    r"(?:key-[0-9a-f]{32}|pubkey-[0-9a-f]{32}|[0-9a-f]{32}-us[0-9]{1,2})(?![0-9a-f])",  # Mailgun, Mailchimp
    r"(?:xkeysib-[0-9a-f]{64}-\w{16}|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}|pat-(?:na|eu)[0-9]-[0-9a-f-]{36})",
    r"(?:shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}|lin_(?:api|oauth)_[A-Za-z0-9]{32,}|ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43})",
    r"(?:figd_[\w-]{20,}|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}|CFPAT-[\w-]{40,}|tfp_[\w=.-]{40,}|rdme_[a-z0-9]{60,}|[ps]k\.eyJ[\w.-]{40,})",
    r"00D[A-Za-z0-9]{12,15}![\w.]{40,}",  # Salesforce
    r"(?:AAAA[\w-]{7}:[\w-]{100,}|sl\.[\w-]{100,}|p8e-[a-z0-9]{32}|fio-u-[\w=-]{60,}|s-s4t2(?:ud|af)-[0-9a-f]{64}|ico-\w{30,})",
    r"(?:sm_(?:aat|pat|sat)_\w{16,}|tk-us-[\w-]{40,}|(?:sc|ext|scauth|authress)_[a-z0-9]{5,30}\.[a-z0-9]{4,6}\.acc[_-][\w.+/=-]{40,})",
    r"(?:GR1348941[\w-]{20,}|pat\.[\w-]{22}\.[0-9A-Za-z]{24}\.[0-9A-Za-z]{20}|API-[A-Z0-9]{26}|\w{6}_\w{29}_mmk|s\.[A-Za-z0-9]{24})(?!\w)",
    r"(?:xox[sr]-[0-9]-[0-9]-[0-9A-Fa-f-]{3,}|hooks\.slack\.com/(?:services|workflows|triggers)/[\w/+-]{30,}|ZXlK[A-Za-z0-9+/_=-]{60,})",
    # Any that say of themselves what they are
    r"[A-Za-z][A-Za-z0-9]{1,15}[_-](?:live|test|prod|secret|apikey|api_key|api|pat|token|sk)[_-](?=[A-Za-z_-]{0,40}[0-9])[A-Za-z0-9]{20,}",
)  # fmt: skip
