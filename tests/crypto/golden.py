"""Golden bytes, made once in format 1 or 2, which must open for ever. Never regenerate them for a test.

The data key is `cast.DATA_KEY`, the epoch is 3, ids are those of `cast`. Bytes without a named format are of
format 1.
"""

ENTRY_TEXT_AAD = bytes.fromhex(
    """
    6c6c616d6f726120636f6e746578742076310a000000030192f0c47a00700080000000000000e10192f0c47a00700080
    0000000000000100056669656c64001064696172792e656e7472792e746578740002000f64696172792e656e7472792e
    6461790000000a323032362d31312d3230001064696172792e656e7472792e6b696e6400000005656e747279
    """
)

# Under the content subkey, in `cast.ENTRY_TEXT`: the sentence, then nothing at all.
SHORT_TEXT = "Der erste Schnee."
SHORT = bytes.fromhex(
    """
    010000000353d0bec8aa85de4c88887f660ce1ebce0c604b19d60295f09440bf7ac5ea9e09effb66c97cd0bf7a3c3513
    725507eb2f160c8f4bfecc9597d64a02374f44f6fbb08fd3d6809d54c7bfa3a6a1901de4fee4c4ff0992fa4750b27ba5
    eef5a65bfc25193be6dea04f05
    """
)
EMPTY = bytes.fromhex(
    """
    01000000033a6759fdcbcb65b198183752a35eb838627d9a5877cf9d3e423aa569d6ae9506202adecf3109945fcfd998
    3fcf6506e3ca373d8a50bbeb5758e3c74b74a6d4990ab7680a9fef1d0a32fa4ad2e431b5d489a31c22a4bbcc1f70ea56
    2278be2ee30fffa589c6a14029
    """
)

# The same row and owner, label "diary.reply.text", nothing bound.
LONG_TEXT = "Zeile äöü 🌙\n" * 12
LONG = bytes.fromhex(
    """
    01000000038fc9e05dbd2f39c2a804873b77dbbd3e2aeec6e623278b6d96dc5486078a65b7f147245ea60a81c0b326dc
    1fe2fc102148265195ae83301f25a692609d7491681bf1dd57fbaee850d2bf7031b50968e92107e4314947b20ed70a01
    6f18d00be2612e8b8477668cdd03c42a10b67c049cb1013d67fd5a032aaa3b649a791a4dda0a03fc787f5f848edb013f
    c0f5dedc22ed095e5c63a2514d045c15f8a308efa4c166238f3ac9f804b1cc792cebc7b9c09ae0fba399723146ae3d36
    081439b36064959b87f5262e03507805dcc4eac69394a1c41438593e0039945ffc4050bf2dac8e7b1a6950d2a911617a
    23ed65feed1a0986f6d6b897c56cafed8e1a18e55e6103e8d84342f086
    """
)

# The subkeys of `cast.DATA_KEY`. INDEX keyed the blind indexes of format 1; nothing uses it now.
SUBKEYS = {
    "CONTENT": "deb355f7a501a72ffa49878585f7a1103bdfe86822e8522a0fcc6a001991ff9b",
    "INDEX": "96606f259e0d998734e9f001e1b52bccea38d89043da5d9239869b2435a11b38",
    "SNAPSHOT": "8578ba6c7e6d93dfcd7624d165c029ea00a11709608a8ebbe88e013aefbeaa87",
    "SLOTS": "f73558193a11e63eb3d41b2c0fd14a99e697f307a3c023c523557d66ec0cd8ad",
}

# Label "traces.trace.name", value "Großmutter", under the subkey INDEX.
BLIND_INDEX = bytes.fromhex(
    """
    c19d413b7c425b07f5fe23b774fc9ab59853c13c3e3343f0f1f95951a7d28f53
    """
)

# Format 2: under the sealing key of `content`, in `cast.ENTRY_TEXT`, the sentence SHORT_TEXT.
SHORT_2 = bytes.fromhex(
    """
    020000000396332dd08e314d4f1a052d9578bafe814fcefb6ec538febcabecbd36315807d782eadbe5ddf67fa130b307
    9abe25ee360ccc5402d520d982b6cf350fd4b6807ea85357684053b4911d6f6f8694b76c7a82437cc614da9e0c9b965c
    1a826f6bdac8c526b2f996c820
    """
)
# Format 2: under the sealing key of `vault`, in `cast.VAULT_STATE`.
STATE_TEXT = b'{"format_2_since":3}'
STATE_2 = bytes.fromhex(
    """
    0200000003b33af1da48f09a1d2a749aa354048cc819ed9a65cbe61eefdc981828b57c872bd9fd850006df7399eef1ec
    31df4f1bc54c5b7e563bfb04d0e61e1c84d165582c5ddad27e4622b38cdcf134602ad56884d800a2c26763c91acbdfbd
    e84d012e2bcc1f62ce01c81ab7
    """
)
# Format 2: label "traces.trace.name", value "Großmutter", under the blinding key of `content`.
BLIND_INDEX_2 = bytes.fromhex(
    """
    93ae1100abb1f1eb5db4c2d792f5751de351dcfa0517e6c1d2d708b1892a2333
    """
)
# Format 2: the code of `cast.ENTRY_COLUMNS`, under the columns key of `content`.
CODE_2 = bytes.fromhex(
    """
    0200000003446530caab432c2a5f10ffd5d33768069f30d67b0cb00b7fd345ca4d1a933dee
    """
)
# Format 2: the sealing, blinding and columns keys of each realm.
REALM_KEYS = {
    "content": (
        "229119aa0cbcce0220a3bc20ee15d02fff592b221e0166f480b571280eeb1eb3",
        "d2bcf709b04ddfee7094b997725a9533a2a2109eef96787ba9da91ed3aabe2f3",
        "ea2278acbb01be132095761b0b1befd232cf31c7c433984c48fdf168acfb26c5",
    ),
    "facts": (
        "d879496af91e0191033fa7afeca1b49f5518f9103d27b7325f64f06295170f2a",
        "af11dc657ee610ae81e74d94b7be5ea9e6c3c60ef0c5ceb2e931ff9201958777",
        "7b9deffee64d77e4df56e3f3590392e2b02e399a7d37ea47c4b9f3a5f5f7bfbe",
    ),
    "notes": (
        "b46b402fcbc1013985fe186b36910620d6ebbd5e12769393646fda0748ae810f",
        "acd09979a5ef1ba031f3a01c6dfe20dd42d8669922cc518384c1a4d615b9ec29",
        "70e306453b30fbc415e5b04aacc5bb3b05ca58e858c0d44d8220797b02ecb397",
    ),
    "vault": (
        "0336c890c3b2e55f21e5f8120f3147ae275f23ef51d930e10602454711ef40c5",
        "d96ee2e3284415cedb557fb18d8a529b6dca4778aa5342449fad74dc92603e14",
        "1caf9a2dccbd74fd0d416aa7e9f503b4f02c12770082863e5cb243a91cc5373c",
    ),
}

# Parts "ab" and "c" under the data key as digest key.
DIGEST = bytes.fromhex(
    """
    63b8a2865c4e950aa9027e05ddc5d45d72d27bed8809397093c61ca38c1b594d
    """
)

# A slot of kind "password" whose secret is "Straße ﬁn 2026", at `cast.CHEAP` with `cast.SALT`.
SLOT_SECRET = "Straße ﬁn 2026"
KEK = bytes.fromhex(
    """
    e3802a7c6b8c1f343b506c19b47bff9c56aa77701ff98a1974c2c689c30d0137
    """
)
SLOT_PUBLIC_KEY = bytes.fromhex(
    """
    0f5106f81a3a0bacb5e6ff53285ab5ded69bd046d91d063350ba212dcb1a4831
    """
)
SLOT_SEALED_PRIVATE = bytes.fromhex(
    """
    0100000000d2ae33d5adf3b8e6bf310c35c62c64790f3f73493daaf4ecd4c3e2f74ca2be14a811370456a5922274f742
    09f70263999cf3531e5432afe83c0d3510a0959b3d9d40611727caa87f645302bc5f1c20d32633de5e25023d255057f0
    b332245fb11fc8933831c03c8cac1eb0571d3bb0ce
    """
)
SLOT_SEALED_AUTHENTICATOR = bytes.fromhex(
    """
    01000000039acf2a112d8c735c53f8ee44d997c394215ab9e5635d86814d0efe76ca4f9331f346e138e4cae251630cdc
    9b15e51e3b055a0f1579fe2cd7e416654209d272836ca568453fbe3bba0a7bcca8c1c598ff5ff8241a9e98cfcb9e005a
    46ba455876bc71c59da9a1b8b4
    """
)
SLOT_BOX = bytes.fromhex(
    """
    14ae416e406569ae40b24e629b6a39a12225901120c138207fa49af8c7043f52f85a8c3306fcef420e15c7c8eae14de3
    748f407e0a0789f10f3098fee4f70f6ec1f3f02d5ed728ea69a6d99a233ef07782c90e1a3d0d2f42e166b20c54f4caa7
    4fd3ea67f669292dc4cec794aabdf752640481d114
    """
)
SLOT_MAC = bytes.fromhex(
    """
    2f6513179f50a9422280995341d49485cf5a80452571527400a3a003d6b84919
    """
)

# Half 32..63, salt `cast.SALT`, run secret 64..95, row `cast.ENTRY`.
WRAPPED_DEK = bytes.fromhex(
    """
    0100000003167143895bba8bffc8109d967ca9074062b9aec0c1779bf1d0b24ed16db8080c3279b74417bb61b13e2ccd
    a62a97a6294acb3eaf468fc40a635f8705a9d5fe05e9deca235cafab9add315434d563999b310ced5aa6923331ac1b68
    aaa8a865d9a7c6af757ee34d55
    """
)
HALF_HASH = bytes.fromhex(
    """
    b05b379cc352c92a76cce63406cc9434100e3822b7a549cf5f30aa507804d964
    """
)

# Format 2: `cast.NEXT_DATA_KEY` as the former data key of epoch 2, under the key of its file.
FORMER_KEY_FILE = bytes(range(128, 160))
WRAPPED_FORMER_KEY_2 = bytes.fromhex(
    """
    020000000286f42b4a40ff542e5e2ba2aca24c6bbc5d4007b236af9a2761297e83a38065ce2e195d73c131ff54d93292
    2bb8a53e1b25f491a85562d36bd6eb9f14cd4bdcf24daf65ba4911d1950bacff14adc7de0ad724892f149c2a58b4dc88
    56479e00d980b4d9ee1d428df4
    """
)

# Format 2: a slot of kind "password" under KEK, at `cast.CHEAP` with `cast.SALT`.
SLOT_PUBLIC_KEY_2 = bytes.fromhex(
    """
    84cafa9f47c879c5833ca57f7aae1520b3120d0ce2f6c7bb1a0c5bb171484b06
    """
)
SLOT_SEALED_PRIVATE_2 = bytes.fromhex(
    """
    0200000000dc43939cde39554d698cf18f9a68794542749a89ee98aa3c74525fb39396c20f732164f6005b00f565f088
    252c4fb23f5c3d0c433a68363159b61d18bfa4baed708acc48d3bce778152886ce9c48c576a9be43ef08b56b75467575
    e5a002182ab2d341500d905678c1ceaca95225965e
    """
)
SLOT_SEALED_AUTHENTICATOR_2 = bytes.fromhex(
    """
    020000000345d49e3ca94d5345031a7c071f3c0fff6cb805e7331817950fbbc3c6dd1dba7a69bcc4c0e41a0f3a3cc815
    27fe2fe1f23d2bc45d37f7e35f74795d118aa08330892af968234bf2995f8ee3e4f831bdcbabb56a8c602173f44cde17
    2a2a704b217c6bbc578b9c9964
    """
)
SLOT_BOX_2 = bytes.fromhex(
    """
    0ab16d9c7d621c2f97c0dd6ca357ad8bda6e8c19edc97412eb7d560d306bb75dfe3dcf07a9dfb821b066f18625f0d6b7
    1753985db12fb7cd20b43c3d99e46e40816452bb0e14fb55e13441018db57597ec4531af5dd7980bc80971c84f7d3818
    859f1858e5f10d0b380ea80662383db4c9d84e5d6d
    """
)
SLOT_MAC_2 = bytes.fromhex(
    """
    621500c7ea383448ca0ea3083eae005a937d0ed3d1072b22fbff1471872c3916
    """
)

# Format 2: the parts of WRAPPED_DEK, but row `cast.SESSION`.
WRAPPED_DEK_2 = bytes.fromhex(
    """
    02000000036aae786756304a07193dcd7e6ed64d68cfe7fc9875f382903f004bc57dd65598027d947e29a647e115754d
    73758ffa693cfe278b314e49f2fc72d35d769d08b881fd2b8202c103d733c958a8b39f04d7cb5eb7c0db8ecbbd3339b3
    157e7856097b04ef87e1912b80
    """
)

# Of the random bytes 0..19.
RECOVERY_CODE = "000G-40R4-0M30-E209-185G-R38E-1W81-24GK-J8N4"

# "while locked", in the context of LONG.
VAULT_PRIVATE = bytes.fromhex(
    """
    5cc1286514ae5b743e6580fdfd1aa4a7ef91c20055511eba7a6fdc74d87c9df8
    """
)
VAULT_PUBLIC = bytes.fromhex(
    """
    259c3669293ffd5a5d03878f734926056843b7895466860d7e23f7462af2aa7b
    """
)
SEALED_TO_VAULT = bytes.fromhex(
    """
    0141b837fa40e742aec282cffd27423535ab93932c0e1ebe7b7dc5050a386a937461a02531bf533b0305d11bfa14b096
    114a6155cf051338d3de8551049b779253cf966335aa760576ff519ed741953f6e840d2920a0fa93a6ddc37c8595f1ce
    5a26bb7d8c856ab2f3e8cee9a8eaf6256b2fb0e86d0c1a9b146048141b79e3ba48a063674a9e2c57d93677979ddd640b
    37
    """
)

# Format 2: slots of access tokens with the secret 0..31, in the terms of `test_access_tokens.build_terms`.
TOKEN_SLOTS: dict[str, dict[str, bytes]] = {
    "ordinary": {
        "public_key": b"",
        "sealed_private": bytes.fromhex(
            """
            0200000000ce1a6707a055792f1ee37eb6589ebf25ca235f5044feb9465eab046e3b76b0663345f63e5fe200
            9404c9259305ac7273cc61c32305fcc01a0f7ae0510a47218522a991137a8c8983cd03168764487b5ee75297
            cfb0cdb6e81f83484786b2a0bc026087944ca95ab7
            """
        ),
        "sealed_authenticator": bytes.fromhex(
            """
            0200000003eb9b67602283101629523d27f6e7bef56ff4a7d9af4d84b723542726df21043196fba6a258a3fb
            8ef8875c2ab3f57470b30bccce7647e022bc6c142d9afe90179668f7457be33762a1ca2ca1a9a9934930e3c4
            5026690e854e7489febf62a4003e1e0499b2f38783
            """
        ),
        "box": b"",
        "mac": bytes.fromhex(
            """
            12c50a850799ce4b54ab1529cd0d8b50d2c4e3955cf93f57d85c24f5cf99a074
            """
        ),
    },
    "away": {
        "public_key": bytes.fromhex(
            """
            aade209f96901444cf39c9d6c93eb1db035bdd5b7d7e4da5759a13e467071e5c
            """
        ),
        "sealed_private": bytes.fromhex(
            """
            020000000082e251769e55ca99dde18451e83750177ae41037575960b7bb19c7dd5541cfd1a65ee7d3db2f30
            3d7f602c8310461c3b409b35921c49afcc549ec6fa75384c68fe4e3fe6bf5f5683f11e74cf8993ddaf1b3432
            9bbd6ddd15d85b6ba4801ac4855bd1b7abf3423bf1f94add096e996de3
            """
        ),
        "sealed_authenticator": bytes.fromhex(
            """
            02000000039b3846a4a258adcf5098aa3c86dca15d8f94768ce20562794c883a672fc3bcfaa50fd292652746
            df34cf72abe4d78f349ee045f464f9a0aba5fb0e1343e1f912da67613d6ecef61fb8bfd97e19681a31147067
            f753814143c9349f5a5f234be7108789f8f89b9cef
            """
        ),
        "box": bytes.fromhex(
            """
            05667eda30fb024b8814624ee88a687b8d4120cafb1020d0de0cd2ec4d032b267b9abdaf18eba6d9c75e5b7a
            cc182683a019264ba2b29127bf924b5c65adcfdf24398f58e85edc0db6bf625b2ad1f9d355cb1530c6f5b86d
            e78f562a92199d7222169e4502248e1893092187b722015c49e3b55a10938eda778a08484b9e604b44f39b2f
            89d32302760f68bcbb9131c6f41f7c769ca48d46291810f82073f45ae4a08ac3599550bcf8d40b415875f48f
            8acc243e28b497bee4f10b7bc2495cd7469dd2f85feb34502801bd4a71d728ad478c7f45800cb04991361adf
            24a796b387f4858cde6e4a8228c5818295798392207b4cbda7f4d9f09d59ddf2825af06213fc6c0ac77bbdc9
            c7a89baec04202646de4e29f94f83348af3788701649abacb308e569292c1b59eba476c5f7
            """
        ),
        "mac": bytes.fromhex(
            """
            953cdb700b06f33b71ada3b9b868ac72328c5d8d4febeb8ecfe02bfbec109033
            """
        ),
    },
    "drop": {
        "public_key": b"",
        "sealed_private": bytes.fromhex(
            """
            02000000009e01e2c351935ccad137be7846d48388f18b7c885c526ecbc44fd6eebb69eb1ce53ffdffc85a6a
            2bbf7b77b4e50672239ac465aad6638888f9ba80669a004bc9a30d0e7ee3e4074a79510e46701fe3f868087b
            4d601861731f392d181becdf241e99b1c572c0ad63
            """
        ),
        "sealed_authenticator": bytes.fromhex(
            """
            0200000003ce5074940f02af7b0b0c1930f6b9e8da7a0229c0006d03c175d0643e14764aa74f31bfd02d9030
            95bc84414b85bc4cbea0146414a93dc99c45824321cdf5e3ed111e18ff15f2b15fd01f5ae482c2b842acfdcd
            4ce8acd0bd1b9fa651eb9f657413089ef4c8a23377
            """
        ),
        "box": bytes.fromhex(
            """
            010192f0c47a00700080000000000000010192f0c47a00700080000000000000a100000003259c3669293ffd
            5a5d03878f734926056843b7895466860d7e23f7462af2aa7b
            """
        ),
        "mac": bytes.fromhex(
            """
            23efee8e229e43c9969a5d01914a0844a2f496cfbb61b37709f0d1a6d674f5bf
            """
        ),
    },
}
